"""The HTTP API: thin routers, one file per resource. The only place that knows status codes."""
