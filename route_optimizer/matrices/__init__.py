"""Ways between places: on a sphere, an ellipsoid or a plane, on the roads of a map, or as a server knows them."""

from route_optimizer.matrices.points import Point
from route_optimizer.matrices.sphere import GreatCircles, haversine

__all__ = ["GreatCircles", "Point", "haversine"]
