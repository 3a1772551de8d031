"""A Redis that may be taken away."""

from tests.services.redis import redis_server

__all__ = ["redis_server"]
