"""The search over everything: pages, and what the platform has."""
