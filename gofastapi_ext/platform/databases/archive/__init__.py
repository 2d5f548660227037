"""Backups as files: what is in one, how it is written, how it is read and believed."""
