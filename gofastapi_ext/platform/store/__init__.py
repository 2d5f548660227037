"""The platform's own database in MongoDB. One file per aggregate; the only place that knows documents."""
