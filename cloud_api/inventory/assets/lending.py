"""Lending items: check out, decide, check in, remind of what should be back."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql import ColumnElement

from cloud_api.identity.people import service as people
from cloud_api.identity.people.models import User
from cloud_api.identity.teams import service as teams
from cloud_api.identity.teams.models import TeamMember
from cloud_api.inventory.assets import queries
from cloud_api.inventory.assets.models import Item, ItemCheckout
from cloud_api.inventory.assets.queries import visible_items
from cloud_api.inventory.assets.schemas import Decision, ItemCheckIn, ItemCheckOut
from cloud_api.inventory.assets.service import get_item, move, move_on, note, open_checkout
from cloud_api.inventory.assets.states import (
    CHECKOUT,
    ITEM,
    CheckoutAction,
    CheckoutStatus,
    ItemAction,
    ItemStatus,
)
from cloud_api.kernel import clock
from cloud_api.kernel.db import Database
from cloud_api.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from cloud_api.kernel.loops import keep_looking, while_full
from cloud_api.kernel.tenancy import OrganizationScope, SystemScope
from cloud_api.notifications import service as notifications
from cloud_api.places import service as places
from cloud_api.places.queries import EVERYWHERE, Visible

_POLL_S = 300.0
#: reminded of in one unit of work
_AT_ONCE = 100


class ItemAskedFor(Conflict):
    """Somebody has asked for the item already, and nobody has decided."""

    code = "ITEM_ASKED_FOR"


class ItemNotLent(Conflict):
    """Nobody has it."""

    code = "ITEM_NOT_LENT"


class OwnRequest(Forbidden):
    """Nobody decides about what they asked for, or about what they get."""

    code = "OWN_REQUEST"


class _Assignee(NamedTuple):
    user_id: uuid.UUID | None
    team_id: uuid.UUID | None
    name: str


async def check_out(
    db: AsyncSession, item_id: uuid.UUID, *, wish: ItemCheckOut, by: uuid.UUID | None, seen: Visible = EVERYWHERE
) -> ItemCheckout:
    """Lend it; of a restricted item this asks for it, and somebody else decides.

    Raises:
        NotFound: when the item is not there.
        Invalid: when the due time is past, or there is no such user or team.
        ItemAskedFor: when it waits for a decision.
        InvalidTransition: when it is not there to be lent.
    """
    item = await get_item(db, item_id, seen=seen, locked=True)
    now = clock.now()
    if wish.due_at <= now:
        raise Invalid("due_at must lie ahead", field="due_at")
    if await open_checkout(db, item, CheckoutStatus.PENDING_APPROVAL) is not None:
        raise ItemAskedFor(f"{item.asset_code} waits for a decision: see GET /api/v1/items/approvals", field="id")
    whom = await _assignee(db, wish)
    ITEM.apply(ItemStatus(item.status), ItemAction.CHECK_OUT)
    checkout = ItemCheckout(
        item_id=item.id,
        status=CheckoutStatus.PENDING_APPROVAL if item.restricted else CheckoutStatus.OUT,
        assignee_type=wish.assignee_type,
        user_id=whom.user_id,
        team_id=whom.team_id,
        assignee_name=whom.name,
        purpose=wish.purpose,
        due_at=wish.due_at,
        requested_by=by,
        requested_at=now,
        out_at=None if item.restricted else now,
        condition_out=wish.condition,
    )
    db.add(checkout)
    await db.flush()
    if item.restricted:
        await note(db, item, "request", by=by, text=wish.purpose, checkout=checkout)
        await _tell_approvers(db, item, checkout)
    else:
        await move_on(db, item, ItemAction.CHECK_OUT, by=by, text=wish.purpose, checkout=checkout)
    return checkout


async def decide(
    db: AsyncSession, checkout_id: uuid.UUID, *, decision: Decision, by: uuid.UUID, seen: Visible
) -> ItemCheckout:
    """Lend a restricted item to who asked for it, or not.

    Raises:
        NotFound: when nobody asked.
        InvalidTransition: when somebody has decided, or the item is not there to be lent any more.
        OwnRequest: when it was they who asked, or who get it.
    """
    checkout, item = await _get_request(db, checkout_id, seen)
    if by in (checkout.requested_by, checkout.user_id):
        raise OwnRequest("somebody else than who asked for it, or gets it, decides")
    action = CheckoutAction.APPROVE if decision.approve else CheckoutAction.REJECT
    checkout.status = CHECKOUT.apply(CheckoutStatus(checkout.status), action)
    checkout.decided_by, checkout.decided_at, checkout.decision_note = by, clock.now(), decision.note
    if decision.approve:
        checkout.out_at = checkout.decided_at
        await move_on(db, item, ItemAction.CHECK_OUT, by=by, text=decision.note, checkout=checkout)
    else:
        await note(db, item, "reject", by=by, text=decision.note, checkout=checkout)
    await db.flush()
    await notifications.notify(
        db,
        user_ids=await _people(db, checkout.requested_by),
        title=f"{item.name}: {'yours to take' if decision.approve else 'not lent'}",
        message=decision.note or f"{item.asset_code}, for {await _name_of(db, checkout)}",
        severity="info",
        category="inventory",
        subject=f"item:{item.id}",
    )
    return checkout


async def check_in(
    db: AsyncSession, item_id: uuid.UUID, *, back: ItemCheckIn, by: uuid.UUID | None, seen: Visible = EVERYWHERE
) -> ItemCheckout:
    """Take it back, with notes of damage as damaged. One that had been lost is found by this.

    Raises:
        NotFound: when the item or the place is not there.
        ItemNotLent: when it is not lent.
    """
    item = await get_item(db, item_id, seen=seen, locked=True)
    if back.location_id is not None:
        await places.get_location(db, back.location_id, seen=seen)
    checkout = await open_checkout(db, item, CheckoutStatus.OUT)
    if checkout is None:
        raise ItemNotLent(f"{item.asset_code} is {item.status} and not lent: there is nothing to take back", field="id")
    action = ItemAction.CHECK_IN_DAMAGED if back.damage_notes else ItemAction.CHECK_IN
    await move_on(db, item, action, by=by, text=back.damage_notes or back.condition, checkout=checkout)
    checkout.status = CHECKOUT.apply(CheckoutStatus(checkout.status), CheckoutAction.RETURN)
    checkout.in_at, checkout.condition_in, checkout.damage_notes = clock.now(), back.condition, back.damage_notes
    if back.location_id is not None:
        await move(db, item, back.location_id, by=by)
    await db.flush()
    return checkout


async def remind_of_overdue(database: Database, now: datetime) -> int:
    """Tell who has what should be back, and the leads of their teams, once for each due time.

    A step for a loop: a unit of work finds whose it is, then each organisation has one of its own. Any number may run
    beside each other. Returns of how many check-outs was told.
    """
    late = queries.overdue(EVERYWHERE, now).where(_unreminded())
    async with database.unit_of_work(SystemScope("find items that should be back"), read_only=True) as db:
        found = late.with_only_columns(ItemCheckout.organization_id).distinct()
        organization_ids = (await db.scalars(found)).all()
    told = 0
    for organization_id in organization_ids:
        async with database.unit_of_work(OrganizationScope(organization_id)) as db:
            claimed = late.order_by(ItemCheckout.id).limit(_AT_ONCE).with_for_update(of=ItemCheckout, skip_locked=True)
            for checkout in (await db.scalars(claimed)).all():
                checkout.reminded_of = checkout.due_at
                await _remind(db, checkout)
                told += 1
    return told


class OverdueReminder:
    """Reminds once of each check-out that it is overdue. Any number may run beside each other."""

    def __init__(self, database: Database, *, poll_s: float = _POLL_S) -> None:
        self._database = database
        self._poll_s = poll_s

    async def run(self) -> None:
        """Look until cancelled; a database that does not answer is asked again."""
        await keep_looking(self._all_due, every_s=self._poll_s, failure="overdue_reminder_failed")

    async def _all_due(self) -> None:
        await while_full(lambda: remind_of_overdue(self._database, clock.now()), at_once=_AT_ONCE)


def _unreminded() -> ColumnElement[bool]:
    return or_(ItemCheckout.reminded_of.is_(None), ItemCheckout.reminded_of != ItemCheckout.due_at)


async def _remind(db: AsyncSession, checkout: ItemCheckout) -> None:
    item = await get_item(db, checkout.item_id)
    await notifications.notify(
        db,
        user_ids=await _who_has(db, checkout),
        title=f"{item.name} should be back",
        message=f"{item.asset_code}, lent to {await _name_of(db, checkout)}, "
        f"was due on {checkout.due_at:%Y-%m-%d %H:%M} UTC",
        severity="warning",
        category="inventory",
        subject=f"item:{item.id}",
    )
    await note(db, item, "remind", by=None, checkout=checkout)


async def _who_has(db: AsyncSession, checkout: ItemCheckout) -> Sequence[uuid.UUID]:
    """Who has it and the leads of their teams; of a department or a job who asked for it."""
    of = [checkout.team_id] if checkout.team_id else []
    if checkout.user_id is not None:
        of = [team.id for team in await teams.teams_of(db, checkout.user_id)]
    lead = select(TeamMember.user_id).where(TeamMember.team_id.in_(of), TeamMember.is_lead)
    leads = (await db.scalars(lead.order_by(TeamMember.user_id))).all()
    first = await _people(db, checkout.user_id or (None if leads else checkout.requested_by))
    return list(dict.fromkeys([*first, *leads]))


async def _people(db: AsyncSession, asked_by: uuid.UUID | None) -> Sequence[uuid.UUID]:
    """Who can be told: a machine that asked cannot."""
    return (await db.scalars(select(User.id).where(User.id == asked_by, User.deleted_at.is_(None)))).all()


async def _name_of(db: AsyncSession, checkout: ItemCheckout) -> str:
    """Who has it, in words; of a person they are not kept, because people have a right to be forgotten."""
    name = await db.scalar(select(User.full_name).where(User.id == checkout.user_id))
    return name or checkout.assignee_name


async def _tell_approvers(db: AsyncSession, item: Item, checkout: ItemCheckout) -> None:
    approvers = await people.users_with_permission(db, "items:approve")
    mine = {checkout.requested_by, checkout.user_id}
    await notifications.notify(
        db,
        user_ids=await places.who_may_see(
            db, [one for one in approvers if one not in mine], location_id=item.location_id
        ),
        title=f"{item.name} is asked for",
        message=f"{item.asset_code}, for {await _name_of(db, checkout)}: {checkout.purpose or 'no purpose given'}",
        severity="info",
        category="inventory",
        subject=f"item:{item.id}",
    )


async def _assignee(db: AsyncSession, wish: ItemCheckOut) -> _Assignee:
    try:
        if wish.assignee_type == "user" and wish.assignee_id is not None:
            return _Assignee((await people.get_user(db, wish.assignee_id)).id, None, "")
        if wish.assignee_type == "team" and wish.assignee_id is not None:
            return _Assignee(None, wish.assignee_id, (await teams.get_team(db, wish.assignee_id)).name)
    except NotFound as error:
        raise Invalid(error.message, field="assignee_id") from error
    return _Assignee(None, None, wish.assignee_name or "")


async def _get_request(db: AsyncSession, checkout_id: uuid.UUID, seen: Visible) -> tuple[ItemCheckout, Item]:
    """The check-out and its item, the item locked first as everywhere."""
    its = select(ItemCheckout.item_id).join(Item, Item.id == ItemCheckout.item_id)
    item_id = await db.scalar(its.where(ItemCheckout.id == checkout_id, visible_items(seen)))
    if item_id is None:
        raise NotFound(f"nobody asked for anything under the id {checkout_id}")
    item = await get_item(db, item_id, seen=seen, locked=True)
    checkout = await db.get_one(ItemCheckout, checkout_id, populate_existing=True)
    return checkout, item
