"""A typed client of the platform API: find the service (or start it), call it, stream from it."""
