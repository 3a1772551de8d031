"""The life of a recall, whole."""

import pytest

from cloud_api.kernel.states import InvalidTransition
from cloud_api.recalls.states import RECALL, RecallAction, RecallStatus


def test_a_recall_is_closed_once() -> None:
    assert RECALL.apply(RecallStatus.OPEN, RecallAction.CLOSE) == RecallStatus.CLOSED
    with pytest.raises(InvalidTransition, match="recall is closed: cannot close; possible now: nothing more"):
        RECALL.apply(RecallStatus.CLOSED, RecallAction.CLOSE)
