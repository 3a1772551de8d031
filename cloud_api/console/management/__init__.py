"""Figures for administrators: cards, charts with their tables, and files of those."""
