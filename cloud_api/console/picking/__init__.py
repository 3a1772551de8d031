"""Picking: lists and the walk through the warehouse, weighing, packing, and handing over at the counter."""
