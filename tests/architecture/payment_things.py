"""Payments and returns, for the tables of operations."""

import atexit
import uuid
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from typing import Any

from cloud_api.kernel import clock
from cloud_api.orders.payments import service
from cloud_api.orders.payments.provider import Razorpay
from device_sims.razorpay import RazorpayDouble
from device_sims.razorpay_words import Webhook
from tests.architecture.worlds import World
from tests.cloud_api.media.samples import picture
from tests.cloud_api.returns.pictures import picture_of
from tests.factories.orders import Depot, make_depot, order_from
from tests.factories.payments import begin
from tests.factories.returns import HandedOver, hand_over_order

#: of a return, by its id: what the next verb needs of it
_handed: dict[str, tuple[HandedOver, Any]] = {}


@cache
def _double() -> RazorpayDouble:
    double = RazorpayDouble().start()
    atexit.register(double.stop)
    return double


@cache
def _client() -> Razorpay:
    """One for all: what is left behind unclosed is complained of in somebody else's test."""
    double = _double()
    client = Razorpay(double.key_id, double.key_secret, double.webhook_secret, url=double.url)
    atexit.register(client.close)
    return client


def _account(world: World) -> RazorpayDouble:
    """The platform has an account at the double."""
    world.platform.app.state.razorpay = _client()
    return _double()


async def _depot(world: World) -> Depot:
    world.depot = world.depot or await make_depot(world.tenant)
    return world.depot


async def an_unpaid_order(world: World) -> str:
    return str((await order_from(await _depot(world)))["id"])


async def an_order_being_paid(world: World) -> str:
    _account(world)
    order_id = await an_unpaid_order(world)
    await begin(world.tenant, order_id)
    return order_id


async def what_the_page_gave(world: World) -> object:
    """Of the order that was begun last."""
    account = _account(world)
    begun = account.orders()
    if not begun or begun[-1]["status"] != "created":
        await an_order_being_paid(world)
        begun = account.orders()
    return account.authorize(str(begun[-1]["id"])).as_json()


async def a_delivered_order(world: World) -> str:
    handed = await hand_over_order(world.platform, tenant=world.tenant, depot=await make_depot(world.tenant))
    _handed["order"] = (handed, None)
    return handed.order_id


async def what_is_to_come_back(world: World) -> object:
    if "order" not in _handed:
        await a_delivered_order(world)
    handed, _ = _handed["order"]
    return {"reason": "too much", "lines": [{"order_line_id": handed.line_id, "quantity": "1"}]}


async def a_new_return(world: World) -> object:
    order_id = await a_delivered_order(world)
    wanted = await what_is_to_come_back(world)
    assert isinstance(wanted, dict)
    return {**wanted, "order_id": order_id}


def _return(stage: str) -> Callable[[World], Awaitable[str]]:
    async def make(world: World) -> str:
        await a_delivered_order(world)
        handed, _ = _handed["order"]
        one = await getattr(handed, stage)("1")
        _handed["return"] = (handed, one)
        return str(one["id"])

    return make


async def _last_return(world: World) -> tuple[HandedOver, Any]:
    """Of whichever was made last; one that was inspected when there is none of which goods came."""
    if "return" not in _handed or not _handed["return"][1]["goods"]:
        await _return("inspect")(world)
    return _handed["return"]


async def what_came(world: World) -> object:
    if "return" not in _handed:
        await _return("approve")(world)
    handed, one = _handed["return"]
    goods = {"line_id": one["lines"][0]["id"], "quantity": "1", "temperature_c": 4.0, "outside_minutes": 5}
    return {"location_id": handed.quarantine_id, "goods": [goods]}


async def how_it_was_found(world: World) -> object:
    _, one = await _last_return(world)
    return {"goods": [{"goods_id": one["goods"][0]["id"], "condition": "intact"}]}


async def where_it_is_sold(world: World) -> object:
    handed, one = await _last_return(world)
    return {"goods": [{"goods_id": one["goods"][0]["id"], "location_id": handed.depot.room_id}]}


async def what_is_scrapped(world: World) -> object:
    _, one = await _last_return(world)
    return {"goods_ids": [one["goods"][0]["id"]], "reason": "soft"}


async def a_pictured_return(world: World) -> str:
    """Two ids: of the return, and of its picture."""
    return_id = await _return("ask")(world)
    return f"{return_id} {(await picture_of(world.tenant, return_id))['id']}"


async def a_drivers_cash(world: World) -> object:
    """Of a driver who has it, counted."""
    order_id, driver_id = uuid.UUID(await an_unpaid_order(world)), uuid.uuid4()
    async with world.platform.database.unit_of_work(world.tenant.organization) as db:
        await service.take_at_door(
            db,
            order_id,
            amount_minor=1_000,
            method="cash",
            reference="note 1",
            taken_by=driver_id,
            taken_at=clock.now(),
            delivery_id=uuid.uuid4(),
        )
    return {"driver_id": str(driver_id), "expected_minor": 1_000, "counted_minor": 1_000}


def a_webhook(world: World) -> Webhook:
    """About something that is none of ours."""
    return _account(world).webhook("settlement.processed", settlement={"id": "setl_1"})


_BY_BANK = {"kind": "recorded", "method": "bank_transfer", "amount_minor": 100, "reference": "UTR 1"}

PAYMENT_CASES: Mapping[str, tuple[Any, ...]] = {
    "get_order_payments": (an_unpaid_order,),
    "pay_order": (an_unpaid_order, _BY_BANK),
    "confirm_payment": (an_order_being_paid, what_the_page_gave),
    "settle_order_payments": (an_unpaid_order,),
    "return_order_lines": (a_delivered_order, what_is_to_come_back),
    "get_return": (_return("ask"),),
    "update_return": (_return("ask"), {"status": "approved", "reason": "of course"}),
    "cancel_return": (_return("approve"), {"reason": "eaten"}),
    "receive_return": (_return("approve"), what_came),
    "inspect_return": (_return("take_back"), how_it_was_found),
    "restock_return": (_return("inspect"), where_it_is_sold),
    "scrap_return": (_return("inspect"), what_is_scrapped),
    "refund_return": (_return("inspect"), {}),
    "add_return_picture": (_return("ask"), picture(), False, False, {"Content-Type": "image/png"}),
    "get_return_picture": (a_pictured_return,),
    "remove_return_picture": (a_pictured_return,),
}

PAYMENT_GOOD: Mapping[str, Callable[[World], Awaitable[object]]] = {
    "hand_over_cash": a_drivers_cash,
    "create_return": a_new_return,
}
