"""Filters of a page that somebody gave a name, to come back to them."""
