"""Filters of a table that somebody gave a name, kept by the platform."""
