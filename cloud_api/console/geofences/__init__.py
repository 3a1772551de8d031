"""Fences on the map: circles and polygons that vans come into and leave."""
