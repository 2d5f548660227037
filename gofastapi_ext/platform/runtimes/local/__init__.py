"""Apps as processes on this machine: no proxy in the path, no cold import."""
