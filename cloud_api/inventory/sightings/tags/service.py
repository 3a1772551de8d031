"""The verbs of tags: bind, unbind, find. Where they were seen is written by `portals.following`."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.catalog.products import service as catalog
from cloud_api.identity.people import service as people
from cloud_api.inventory.assets import service as assets
from cloud_api.inventory.ledger.models import Lot
from cloud_api.inventory.ledger.queries import visible_lots
from cloud_api.inventory.sightings.tags import epc as codes
from cloud_api.inventory.sightings.tags.models import Tag, TagContent
from cloud_api.inventory.sightings.tags.queries import visible_tags
from cloud_api.inventory.sightings.tags.schemas import Binding, BoundTagRead, ContentRead, Subject
from cloud_api.kernel import clock
from cloud_api.kernel.errors import Conflict, Invalid, NotFound
from cloud_api.kernel.registers import flush_unique
from cloud_api.places import service as places
from cloud_api.places.queries import EVERYWHERE, Visible


class TagBound(Conflict):
    """The tag is on something else."""

    code = "TAG_BOUND"


#: the column of what a tag is on; a pallet is its own
_KEYS = {"lot": "lot_id", "item": "item_id", "location": "location_id", "person": "user_id"}


@dataclass(frozen=True, slots=True)
class _Wish:
    """A tag and what it is to be on."""

    code: codes.Epc
    subject: Subject
    #: what stands before the names of its fields in errors
    field: str = ""


@dataclass(frozen=True, slots=True)
class _Bound:
    """Who binds, and what they may see."""

    by: uuid.UUID | None
    seen: Visible


async def find(db: AsyncSession, epc: str) -> Tag | None:
    """The tag with this EPC, as it is bound now; None: nobody has bound it.

    Raises:
        MalformedEpc: when it is no hexadecimal number of whole bytes.
    """
    return (await find_all(db, [codes.normal(epc)])).get(codes.normal(epc))


async def find_all(db: AsyncSession, epcs: Collection[str]) -> Mapping[str, Tag]:
    """The same of many, by EPC in capitals."""
    bound = select(Tag).where(Tag.epc.in_(epcs), Tag.unbound_at.is_(None))
    return {tag.epc: tag for tag in await db.scalars(bound)}


async def get_tag(db: AsyncSession, tag_id: uuid.UUID, *, seen: Visible = EVERYWHERE, locked: bool = False) -> Tag:
    """One binding of a tag, over or not.

    Raises:
        NotFound: when there is none to be seen.
    """
    its = select(Tag).where(Tag.id == tag_id, visible_tags(seen)).execution_options(populate_existing=locked)
    tag = (await db.scalars(its.with_for_update(of=Tag) if locked else its)).one_or_none()
    if tag is None:
        raise NotFound(f"no tag with id {tag_id}", field="id")
    return tag


async def bind(db: AsyncSession, *, new: Binding, by: uuid.UUID | None, seen: Visible = EVERYWHERE) -> Tag:
    """Say what a tag is on. The same again changes nothing.

    Raises:
        MalformedEpc: when no tag can carry the EPC.
        NotFound: when what it is to be on, or a place, is not there.
        Invalid: when a quantity does not fit its product.
        TagBound: when it is on something else: rebind or unbind it.
    """
    return (await _bind(db, [_Wish(codes.decode(new.epc), new)], _Bound(by, seen)))[0]


async def bind_all(
    db: AsyncSession, *, new: Sequence[Binding], by: uuid.UUID | None, seen: Visible = EVERYWHERE
) -> Sequence[Tag]:
    """Bind many at once, all or none.

    Raises:
        Invalid: naming an EPC that is there twice, and whatever `bind` raises, naming the tag.
    """
    wishes = [
        _Wish(codes.decode(one.epc, field=f"tags.{place}.epc"), one, f"tags.{place}.") for place, one in enumerate(new)
    ]
    first: dict[str, _Wish] = {}
    for wish in wishes:
        other = first.setdefault(wish.code.hex, wish)
        if other is not wish:
            raise Invalid(f"each tag can be bound once: this is {other.field}epc again", field=f"{wish.field}epc")
    return await _bind(db, wishes, _Bound(by, seen))


async def rebind(
    db: AsyncSession, tag_id: uuid.UUID, *, subject: Subject, by: uuid.UUID | None, seen: Visible = EVERYWHERE
) -> Tag:
    """Put a tag on something else. What it was on before stays known. The same again changes nothing.

    Raises:
        NotFound: when there is no such tag, or what it is to be on is not there.
        Conflict: when this binding is over.
        Invalid: when a quantity does not fit its product.
    """
    tag = await get_tag(db, tag_id, seen=seen, locked=True)
    if tag.unbound_at is not None:
        raise Conflict("this binding is over: bind the tag again with POST", field="id")
    if _says(tag, (await contents_of(db, [tag.id])).get(tag.id, ())) == subject.said():
        return tag
    tag.unbound_at, tag.unbound_by = clock.now(), by
    await db.flush()
    return (await _write(db, [_Wish(codes.decode(tag.epc), subject)], _Bound(by, seen)))[0]


async def unbind(db: AsyncSession, tag_id: uuid.UUID, *, by: uuid.UUID | None, seen: Visible = EVERYWHERE) -> None:
    """Take a tag off what it is on. Doing it again changes nothing.

    Raises:
        NotFound: when there is no such tag.
    """
    tag = await get_tag(db, tag_id, seen=seen, locked=True)
    if tag.unbound_at is None:
        tag.unbound_at, tag.unbound_by = clock.now(), by
        await db.flush()


async def contents_of(db: AsyncSession, tag_ids: Collection[uuid.UUID]) -> Mapping[uuid.UUID, Sequence[TagContent]]:
    """What is where these tags are, by tag and in the order of lots."""
    found = defaultdict[uuid.UUID, list[TagContent]](list)
    for row in await db.scalars(
        select(TagContent).where(TagContent.tag_id.in_(tag_ids)).order_by(TagContent.tag_id, TagContent.lot_id)
    ):
        found[row.tag_id].append(row)
    return found


async def read(db: AsyncSession, tags: Sequence[Tag]) -> list[BoundTagRead]:
    """These tags with what they carry."""
    contents = await contents_of(db, [tag.id for tag in tags])
    return [
        BoundTagRead.model_validate(
            {
                **{name: getattr(tag, name) for name in BoundTagRead.model_fields if name != "contents"},
                "contents": [ContentRead.model_validate(row) for row in contents.get(tag.id, ())],
            }
        )
        for tag in tags
    ]


async def _bind(db: AsyncSession, wishes: Sequence[_Wish], bound: _Bound) -> Sequence[Tag]:
    """The tags of these wishes, in their order; those that are bound so already stay."""
    there = await find_all(db, [wish.code.hex for wish in wishes])
    contents = await contents_of(db, [tag.id for tag in there.values()])
    for wish in wishes:
        tag = there.get(wish.code.hex)
        if tag is not None and _says(tag, contents.get(tag.id, ())) != wish.subject.said():
            raise TagBound(
                f"tag {tag.epc} is on {tag.entity_type} {tag.entity_id}: rebind it with PUT, or unbind it",
                field=f"{wish.field}epc",
            )
    fresh = [wish for wish in wishes if wish.code.hex not in there]
    made = {tag.epc: tag for tag in await _write(db, fresh, bound)}
    return [there.get(wish.code.hex) or made[wish.code.hex] for wish in wishes]


async def _write(db: AsyncSession, wishes: Sequence[_Wish], bound: _Bound) -> Sequence[Tag]:
    await _check(db, wishes, bound)
    written = [(_tag(wish, bound), wish) for wish in wishes]
    db.add_all(tag for tag, _ in written)
    await flush_unique(db, "one of these tags has been bound at this moment: read it again", field="epc")
    db.add_all(
        TagContent(tag_id=tag.id, lot_id=lot_id, quantity=quantity, weight_g=weight_g)
        for tag, wish in written
        for lot_id, quantity, weight_g in wish.subject.carried()
    )
    await db.flush()
    return [tag for tag, _ in written]


def _tag(wish: _Wish, bound: _Bound) -> Tag:
    subject = wish.subject
    key = _KEYS.get(subject.entity_type)
    return Tag(
        epc=wish.code.hex,
        scheme=wish.code.scheme,
        uri=wish.code.uri,
        gs1_key=wish.code.gs1_key,
        entity_type=subject.entity_type,
        goods_location_id=subject.goods_location_id,
        bound_at=clock.now(),
        bound_by=bound.by,
        **({} if key is None else {key: subject.named()}),
    )


async def _check(db: AsyncSession, wishes: Sequence[_Wish], bound: _Bound) -> None:
    """That all that bindings name is there, and their quantities can be."""
    wanted = {lot_id for wish in wishes for lot_id, _, _ in wish.subject.carried()}
    rows = await db.scalars(select(Lot).where(Lot.id.in_(wanted), visible_lots(bound.seen)))
    lots = {lot.id: lot for lot in rows}
    products = {
        product_id: await catalog.get_product(db, product_id)
        for product_id in sorted({lot.product_id for lot in lots.values()})
    }
    for wish in wishes:
        await _check_subject(db, wish.subject, bound)
        for lot_id, quantity, weight_g in wish.subject.carried():
            if lot_id not in lots:
                raise NotFound(f"no lot with id {lot_id}", field=f"{wish.field}entity_id")
            product = products[lots[lot_id].product_id]
            catalog.check_quantity(product, quantity, field=f"{wish.field}quantity")
            if product.catch_weight != (weight_g is not None):
                needs = "needs weight_g: it is counted and weighed" if product.catch_weight else "is not weighed"
                raise Invalid(f"{product.sku} {needs}", field=f"{wish.field}weight_g")


async def _check_subject(db: AsyncSession, subject: Subject, bound: _Bound) -> None:
    if subject.goods_location_id is not None:
        await places.get_location(db, subject.goods_location_id, seen=bound.seen)
    match subject.entity_type:
        case "item":
            await assets.get_item(db, subject.named(), seen=bound.seen)
        case "location":
            await places.get_location(db, subject.named(), seen=bound.seen)
        case "person":
            await people.get_user(db, subject.named())


def _says(tag: Tag, contents: Sequence[TagContent]) -> object:
    """What a bound tag is on, to be compared with `Subject.said`."""
    whom = None if tag.entity_type == "pallet" else tag.entity_id
    return tag.entity_type, whom, {(row.lot_id, row.quantity, row.weight_g) for row in contents}
