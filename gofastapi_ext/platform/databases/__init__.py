"""MongoDB: the server the platform brings along, and each user's own database."""
