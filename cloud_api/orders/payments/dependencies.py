"""What the routes ask for before their unit of work begins: everything that goes over the network."""

import uuid
from typing import Annotated

from fastapi import Depends, Request

from cloud_api.kernel.addresses import client_address
from cloud_api.kernel.permissions import CurrentPrincipal
from cloud_api.kernel.tenancy import Actor
from cloud_api.kernel.unit_of_work import pass_gates
from cloud_api.orders.book.queries import VisibleOrders
from cloud_api.orders.payments import online
from cloud_api.orders.payments.errors import NoProvider
from cloud_api.orders.payments.online import Caller, Looked, Prepared
from cloud_api.orders.payments.provider import Razorpay
from cloud_api.orders.payments.schemas import PaymentConfirm, PaymentCreate
from cloud_api.places import service as places


def razorpay_of(request: Request) -> Razorpay:
    """The account that customers pay into.

    Raises:
        NoProvider: when there is none.
    """
    razorpay: Razorpay | None = request.app.state.razorpay
    if razorpay is None:
        raise NoProvider("nothing is paid online here: set COLDFLEET_RAZORPAY_KEY_ID and its others")
    return razorpay


async def caller(request: Request, principal: CurrentPrincipal) -> Caller:
    """For whom the provider is asked; looked up before the unit of work of the request begins."""
    actor = Actor(principal.kind, principal.id, principal.name, client_address(request), principal.organization_id)
    async with request.app.state.database.unit_of_work(principal.scope, read_only=True) as db:
        seen = await places.visible_to(db, principal)
    buyer_id = principal.id if principal.may_only_own("orders:write") else None
    return Caller(principal.scope, actor, VisibleOrders(seen, buyer_id))


CallerOf = Annotated[Caller, Depends(caller)]


async def prepared(
    request: Request, principal: CurrentPrincipal, by: CallerOf, id: uuid.UUID, body: PaymentCreate
) -> Prepared | None:
    """A checkout that is open at the provider, when one is asked for and something is due."""
    if body.kind != "online":
        return None
    await pass_gates(request, principal)
    return await online.prepare(request.app.state.database, razorpay_of(request), id, by=by)


async def looked(
    request: Request, principal: CurrentPrincipal, by: CallerOf, id: uuid.UUID, body: PaymentConfirm
) -> Looked:
    """What became of the attempt that a browser came back with."""
    await pass_gates(request, principal)
    return await online.look(request.app.state.database, razorpay_of(request), id, told=body, by=by)


CheckoutPrepared = Annotated[Prepared | None, Depends(prepared)]
AttemptLooked = Annotated[Looked, Depends(looked)]
