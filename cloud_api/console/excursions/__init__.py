"""Excursions and alerts: what went wrong, who is on it, and what was decided about the goods."""
