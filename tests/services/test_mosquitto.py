"""The tests' own Mosquitto."""

import pytest

from tests.services.mosquitto import MosquittoUnavailable, find_binary


def test_a_missing_broker_is_said_in_one_sentence() -> None:
    with pytest.raises(MosquittoUnavailable, match="apt-get install mosquitto"):
        find_binary(search_path="/nowhere")
