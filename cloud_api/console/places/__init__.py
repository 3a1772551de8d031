"""Warehouses and the places in them: made, changed, shown on their floor plan, closed and taken away."""
