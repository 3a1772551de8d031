"""Figures of warehouses, of the cold and of the road."""
