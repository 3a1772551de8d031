"""Contrasts, compared with the examples of WCAG."""

import pytest

from cloud_api.kernel.colours import contrast


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [("#000000", "#ffffff", 21), ("#ffffff", "#ffffff", 1), ("#767676", "#ffffff", 4.54), ("#0000ff", "#ffff00", 8.00)],
)
def test_a_contrast_is_what_the_recommendation_says(one: str, other: str, expected: float) -> None:
    assert contrast(one, other) == pytest.approx(expected, abs=0.01)
    assert contrast(other, one) == contrast(one, other)
