"""The documents of a person's database: what may be asked of them, and how they travel as text."""
