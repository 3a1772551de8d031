"""The tests' own Redis."""

import pytest

from tests.services.redis import RedisUnavailable, find_binary


def test_a_missing_redis_is_said_in_one_sentence() -> None:
    with pytest.raises(RedisUnavailable, match="apt-get install redis-server"):
        find_binary(search_path="/nowhere")
