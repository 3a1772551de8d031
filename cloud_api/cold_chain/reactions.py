"""What the cold chain does when it hears other rooms, and itself."""

import functools
import uuid

from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.cold_chain.events import AlertAcknowledged, RuleEnded
from cloud_api.cold_chain.excursions import service as excursions
from cloud_api.cold_chain.judging import device_news, stock_news
from cloud_api.cold_chain.judging import service as judging
from cloud_api.cold_chain.rules import limits
from cloud_api.devices.events import CalibrationDue, GatewayConfigRefused, SensorPlaced
from cloud_api.inventory.events import LotsExpiring, LotsGone, LowStock, StockRecovered
from cloud_api.kernel.outbox import Subscription, reaction
from cloud_api.telemetry.stores.port import ReadingStore

_EXCURSION = "excursion:"


async def give_gateway_its_limits(db: AsyncSession, event: SensorPlaced) -> None:
    """A sensor has a place, or another: its gateway judges by that place's limits from now on."""
    await limits.configure_gateway(db, event.gateway_id)


async def acknowledge_excursions(db: AsyncSession, event: AlertAcknowledged) -> None:
    """Who answered for an alert answered for the excursions that raised it."""
    for subject in event.subjects:
        if subject.startswith(_EXCURSION):
            await excursions.hear_of_acknowledgement(
                db, uuid.UUID(subject.removeprefix(_EXCURSION)), user_id=event.user_id, comment=event.comment
            )


async def end_what_left_its_place(store: ReadingStore, db: AsyncSession, event: SensorPlaced) -> None:
    """What was raised at a sensor where it was before is over."""
    await judging.end_what_applies_no_more(db, store=store, sensor_id=event.sensor_id)


async def end_what_the_rule_raised(store: ReadingStore, db: AsyncSession, event: RuleEnded) -> None:
    """What a rule has raised that nobody judges by any more is over."""
    await judging.end_what_applies_no_more(db, store=store, rule_id=event.rule_id)


def reactions(store: ReadingStore) -> list[Subscription]:
    """All of them, for readings that are kept there."""
    return [
        reaction(SensorPlaced, "cold_chain.give_gateway_its_limits", give_gateway_its_limits),
        reaction(
            SensorPlaced,
            "cold_chain.end_what_left_its_place",
            functools.partial(end_what_left_its_place, store),
        ),
        reaction(RuleEnded, "cold_chain.end_what_the_rule_raised", functools.partial(end_what_the_rule_raised, store)),
        reaction(AlertAcknowledged, "cold_chain.acknowledge_excursions", acknowledge_excursions),
        reaction(LowStock, "cold_chain.tell_of_low_stock", stock_news.tell_of_low_stock),
        reaction(StockRecovered, "cold_chain.hear_of_recovery", stock_news.hear_of_recovery),
        reaction(LotsExpiring, "cold_chain.tell_of_expiring_lots", stock_news.tell_of_expiring_lots),
        reaction(LotsGone, "cold_chain.hear_of_gone_lots", stock_news.hear_of_gone_lots),
        reaction(CalibrationDue, "cold_chain.tell_of_due_calibration", device_news.tell_of_due_calibration),
        reaction(SensorPlaced, "cold_chain.hear_of_calibration", device_news.hear_of_calibration),
        reaction(
            GatewayConfigRefused, "cold_chain.tell_of_refused_configuration", device_news.tell_of_refused_configuration
        ),
    ]
