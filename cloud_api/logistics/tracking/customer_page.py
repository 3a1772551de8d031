"""The page on which an order is followed: HTML that needs no script, in the language of who waits for it."""

import base64
import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from cloud_api.configuration import service as configuration
from cloud_api.configuration.definitions import LOCALE
from cloud_api.identity.organizations import service as organizations
from cloud_api.kernel import clock
from cloud_api.kernel.db import Database
from cloud_api.kernel.errors import NotFound
from cloud_api.logistics.tracking import links, waiting
from cloud_api.logistics.tracking.geometry import METRES_PER_DEGREE
from cloud_api.logistics.tracking.schemas import OrderTrackRead, VanRead
from cloud_api.logistics.tracking.words import language_of, words_of
from cloud_api.orders.book import service as orders
from cloud_api.places import service as places

_FOLDER = Path(__file__).parent / "pages"
_STYLE = (_FOLDER / "style.css").read_text()
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
#: nothing but what stands in the page itself, and no script at all
POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_RENEW_S = 30
_OVER = frozenset({"delivered", "returned", "cancelled"})
_PAGES = Environment(loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True)

_WIDTH, _HEIGHT = 320, 200
#: between the door or the van and the picture's edge
_RIM = 36
_STEPS_M = (50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000)
_FEWEST_LINES = 3


@dataclass(frozen=True, slots=True)
class Followed:
    """An order as whoever has its address sees it."""

    progress: OrderTrackRead
    #: who sells
    store: str
    language: str
    zone: ZoneInfo
    door: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Grid:
    """Door and van on squared paper, in pixels; north is up."""

    width: int
    height: int
    columns: Sequence[float]
    rows: Sequence[float]
    #: what the side of a square is, in words
    step: str
    door_x: float
    door_y: float
    van_x: float
    van_y: float


async def public_progress(database: Database, token: str) -> Followed:
    """The order that an address shows.

    Raises:
        LinkUnknown: when it shows none, or none any more.
    """
    scope, order_id = await links.followed(database, token)
    async with database.unit_of_work(scope, read_only=True) as db:
        organization = await organizations.get_organization(db, scope.organization_id)
        if not organization.is_active:
            raise links.unknown()
        try:
            order = await orders.get_order(db, order_id)
        except NotFound:
            raise links.unknown() from None
        await links.check_time(db, order, await waiting.ended_at(db, order))
        return Followed(
            await waiting.progress_of(db, order, reader="customer"),
            organization.name,
            language_of(order.locale or await configuration.value(db, LOCALE)),
            await places.zone_of(db, order.warehouse_id),
            (order.latitude, order.longitude),
        )


def render(followed: Followed) -> str:
    """The page of an order."""
    progress, words, now = followed.progress, words_of(followed.language), clock.now()
    today = now.astimezone(followed.zone).date()

    def clock_time(at: datetime) -> str:
        return f"{at.astimezone(followed.zone):%H:%M}"

    def local(at: datetime) -> str:
        day = at.astimezone(followed.zone).date()
        return clock_time(at) if day == today else f"{day.day}.{day.month}. {clock_time(at)}"

    van = progress.van
    return _PAGES.get_template("follow.html").render(
        **_always(followed.language, words),
        renew_s=0 if progress.status in _OVER else _RENEW_S,
        progress=progress,
        store=followed.store,
        local=local,
        clock=clock_time,
        now=now,
        distance=_length(van.distance_m) if van else "",
        grid=grid_of(followed.door, van) if van else None,
    )


def render_unknown(language: str) -> str:
    """The page of an address that shows nothing."""
    return _PAGES.get_template("unknown.html").render(**_always(language, words_of(language)), renew_s=0)


def _always(language: str, words: Mapping[str, str]) -> dict[str, object]:
    # the style sheet is ours, and its hash stands in the policy: it must not be escaped
    return {"language": language, "words": words, "style": Markup(_STYLE)}  # noqa: S704


def grid_of(door: tuple[float, float], van: VanRead) -> Grid:
    """Both in the middle, as large as they fit."""
    north_m = (van.latitude - door[0]) * METRES_PER_DEGREE
    east_m = (van.longitude - door[1]) * METRES_PER_DEGREE * math.cos(math.radians(door[0]))
    across, up = _WIDTH - 2 * _RIM, _HEIGHT - 2 * _RIM
    metres_per_pixel = max(abs(east_m) / across, abs(north_m) / up, 1.0)
    step_m = next((step for step in _STEPS_M if _HEIGHT * metres_per_pixel / step <= 2 * _FEWEST_LINES), _STEPS_M[-1])
    east, north, step = (length / metres_per_pixel for length in (east_m, north_m, step_m))
    door_x, door_y = _WIDTH / 2 - east / 2, _HEIGHT / 2 + north / 2
    return Grid(
        _WIDTH,
        _HEIGHT,
        _lines(door_x, step, _WIDTH),
        _lines(door_y, step, _HEIGHT),
        _length(step_m),
        round(door_x, 1),
        round(door_y, 1),
        round(door_x + east, 1),
        round(door_y - north, 1),
    )


def _lines(through: float, step: float, end: int) -> Sequence[float]:
    """One through the door, and the others beside it."""
    first = through % step
    return [round(first + turn * step, 1) for turn in range(math.ceil((end - first) / step))]


def _length(metres: float) -> str:
    return f"{round(metres, -1):.0f} m" if metres < 1_000 else f"{metres / 1_000:.1f} km"
