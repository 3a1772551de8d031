"""What the steps of a policy come to, one telling after the other."""

from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from cloud_api.cold_chain.alerts.tellings import DEFAULTS, EVERYONE, Step, freeze, tellings_of, thaw

STEPS = st.builds(
    Step,
    to=st.just(EVERYONE),
    channels=st.just(("push",)),
    after_s=st.integers(0, 3600),
    repeat_every_s=st.integers(60, 3600),
    repeats=st.integers(0, 5),
)


def test_repeats_come_before_the_next_step_and_the_last_goes_on_until_somebody_answers() -> None:
    first = Step(EVERYONE, ("push",), repeat_every_s=300, repeats=2)
    last = Step(EVERYONE, ("sms",), after_s=60, repeat_every_s=1800, repeats=None)
    told = tellings_of([first, last])
    assert list(accumulate(telling.after_s for telling in told)) == [0, 300, 600, 660, 2460]
    assert [telling.step for telling in told] == [0, 0, 0, 1, 1]
    assert [telling.until_answered for telling in told] == [False, False, False, False, True]


def test_by_itself_a_critical_alert_goes_from_one_to_the_next_to_everybody_and_never_falls_silent() -> None:
    told = tellings_of(DEFAULTS["critical"])
    assert [(telling.to.kind, telling.to.position) for telling in told] == [
        ("on_call_list", 0),
        ("on_call_list", 0),
        ("on_call_list", 1),
        ("everyone", None),
        ("everyone", None),
    ]
    assert told[-1].until_answered
    assert {"sms", "mail"} <= set(told[-1].channels)


@given(st.lists(STEPS, min_size=1, max_size=5))
def test_every_step_is_told_in_order_and_kept_as_it_was(steps: list[Step]) -> None:
    told = tellings_of(steps)
    assert [telling.step for telling in told] == sorted(telling.step for telling in told)
    assert {telling.step for telling in told} == set(range(len(steps)))
    assert len(told) == len(steps) + sum(step.repeats or 0 for step in steps)
    assert thaw(freeze(told)) == told
