"""The life of a product, state by state."""

import pytest

from cloud_api.catalog.products.models import STATUSES
from cloud_api.catalog.products.states import PRODUCT_LIFE, ProductAction, ProductStatus
from cloud_api.kernel.states import InvalidTransition

_AFTER = {
    ("active", "deactivate"): "inactive",
    ("active", "discontinue"): "discontinued",
    ("inactive", "activate"): "active",
    ("inactive", "discontinue"): "discontinued",
    ("discontinued", "discontinue"): "discontinued",
}


@pytest.mark.parametrize("state", ProductStatus)
@pytest.mark.parametrize("action", ProductAction)
def test_every_state_and_action_is_decided(state: ProductStatus, action: ProductAction) -> None:
    if (state, action) in _AFTER:
        assert PRODUCT_LIFE.apply(state, action) == _AFTER[state, action]
    else:
        with pytest.raises(InvalidTransition):
            PRODUCT_LIFE.apply(state, action)


def test_the_table_knows_every_state_there_is() -> None:
    assert {*STATUSES} == {*ProductStatus}
