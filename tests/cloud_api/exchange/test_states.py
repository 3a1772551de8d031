"""The life of a run, every state with every action."""

import pytest

from cloud_api.exchange.states import RUN, RunAction, RunStatus
from cloud_api.kernel.states import InvalidTransition


def test_a_run_lives_as_its_table_says() -> None:
    ended = {RunStatus.SUCCEEDED, RunStatus.FAILED}
    for status in RunStatus:
        for action in RunAction:
            if (status, action) in RUN.table:
                assert status not in ended
            else:
                with pytest.raises(InvalidTransition):
                    RUN.apply(status, action)
