"""Look at code without running it."""
