from tests.factories.grounds import farm, ground, ground_url, store
from tests.services.redis import redis_server

__all__ = ["farm", "ground", "ground_url", "redis_server", "store"]
