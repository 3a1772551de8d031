"""The lives that the documentation shows are those of the tables."""

from typing import Any

import pytest

from cloud_api.kernel.states import StateMachine
from cloud_api.logistics.fleet.states import VEHICLE
from cloud_api.orders.payments.states import PAYMENT
from cloud_api.orders.picking.states import PICK_LIST
from cloud_api.returns.states import REFUND, RETURN
from tests.factories.pictures import picture_of


@pytest.mark.parametrize(
    ("name", "machine"),
    [("payment", PAYMENT), ("pick_list", PICK_LIST), ("refund", REFUND), ("return", RETURN), ("vehicle", VEHICLE)],
)
def test_a_picture_is_the_table(name: str, machine: StateMachine[Any, Any]) -> None:
    assert picture_of(name) == machine.mermaid()
