"""The table of settings: what each may be."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_api.configuration.definitions import LOCALE, SESSION_LIMIT, SETTINGS, SSO_ENFORCED, TEMPERATURE_UNIT
from tests.factories.properties import FEW

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.parametrize("key", SETTINGS)
def test_every_setting_may_be_what_it_is_by_default(key: str) -> None:
    setting = SETTINGS[key]
    assert setting.accepts(setting.default)
    assert setting.description
    assert not setting.description.endswith(".")
    assert re.fullmatch(r"[a-z_]+(\.[a-z_]+)?", key)


@pytest.mark.parametrize("key", SETTINGS)
@FEW
@given(value=anything)
def test_a_setting_takes_its_own_type_and_converts_nothing(key: str, value: object) -> None:
    setting = SETTINGS[key]
    assert not setting.accepts(value) or type(value) is type(setting.default)


def test_bounds_choices_and_patterns_hold_to_the_last_value() -> None:
    assert [SESSION_LIMIT.accepts(limit) for limit in (0, 1, 100, 101)] == [False, True, True, False]
    assert [TEMPERATURE_UNIT.accepts(unit) for unit in ("celsius", "Celsius", "kelvin")] == [True, False, False]
    locales = ("en", "en-IN", "sr-Latn-RS", "en_IN", "english", "en-IN\n", "")
    assert [LOCALE.accepts(locale) for locale in locales] == [True, True, True, False, False, False, False]


def test_true_is_not_one_and_one_is_not_true() -> None:
    assert not SESSION_LIMIT.accepts(True)
    assert not SSO_ENFORCED.accepts(1)
    assert not SESSION_LIMIT.accepts(5.0)
