"""A driver with an app that works without signal.

Whatever is done at a door is sealed into the phone's log first, and counts from then on; the platform hears of it when
there is signal, in whatever pieces the line lets through. It speaks HTTP, and waits for nothing but its clock.
"""

import hashlib
import math
import random
import uuid
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import httpx2

from device_sims.phone.logbook import Entry, Logbook, Photo
from device_sims.phone.outcomes import DayReport, Outcome, Stop
from device_sims.phone.road import distance_m, photograph
from device_sims.phone.signal import AlwaysSignal, Signal
from device_sims.phone.syncing import Chaos, Syncer
from device_sims.phone.wire import Line, NoSignal

_TURNED_DOWN = ("refused", "conflict")
_ENDED = ("delivered", "failed", "returned", "cancelled")
#: of a batch that is sealed on the way; at each door what there is goes
_POSITIONS = 60
_AGAIN_S = 60.0


class Clock(Protocol):
    """The world's time: `WorldClock`, or `VirtualClock`."""

    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC."""

    async def sleep(self, seconds: float) -> None:
        """Sleep for so much of the world's time."""


async def _no_code(_stop: Stop) -> str | None:
    return None


def _deliver_all(_stop: Stop) -> Outcome:
    return Outcome()


class Driver:
    """One driver with one phone.

    Args:
        plan_for: what happens at a door; asked when the driver stands there.
        ask_code: what the customer says when asked for the code; None: they have none yet.
        signal: where and when there is signal.
        chaos: how bad the line is when there is.
        log: file of the phone's store; None: it is gone with the program.
        speed_m_per_s: of the van.
        service_s: at each door.
        position_every_s: how often the phone notes where it is.
        skew_s: how far the phone's clock is ahead of the world's.
        unload_location_id: where what comes back is put.
        cargo_temperature_c: what the driver's thermometer reads; None: there is none.
        tries: how often the phone tries to get everything settled at the end of a route, once a minute.
        durable: each command waits for the disk.
    """

    def __init__(
        self,
        url: str,
        login: str,
        password: str,
        *,
        clock: Clock,
        seed: int,
        plan_for: Callable[[Stop], Outcome] = _deliver_all,
        ask_code: Callable[[Stop], Awaitable[str | None]] = _no_code,
        signal: Signal | None = None,
        chaos: Chaos | None = None,
        log: Path | None = None,
        speed_m_per_s: float = 9.0,
        service_s: float = 240.0,
        position_every_s: float = 60.0,
        skew_s: float = 0.0,
        unload_location_id: str | None = None,
        cargo_temperature_c: Callable[[], float | None] = lambda: 3.5,
        tries: int = 60,
        broken_camera: bool = False,
        p256: bool = False,
        durable: bool = True,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self.report = DayReport()
        self.book = Logbook(log or ":memory:", p256=p256, durable=durable)
        self._clock = clock
        # who takes the same phone up again does not say again what was said before
        self._dice = random.Random(f"{seed} after {len(self.book.entries())}")  # noqa: S311 - a simulator's
        self._plan_for = plan_for
        self._ask_code = ask_code
        self._signal = signal or AlwaysSignal()
        self._speed_m_per_s = speed_m_per_s
        self._service_s = service_s
        self._position_every_s = position_every_s
        self._skew_ms = round(skew_s * 1000)
        self._unload_location_id = unload_location_id
        self._cargo_temperature_c = cargo_temperature_c
        self._tries = tries
        self._here: tuple[float, float] | None = None
        device_id = self.book.fact("device_id") or f"phone-{self._dice.randbytes(8).hex()}"
        self.book.keep("device_id", device_id)
        self._line = Line(url, login, password, device_id=device_id, transport=transport)
        self._syncer = Syncer(
            self._line,
            self.book,
            self.report,
            device_id=device_id,
            now=self._now,
            dice=self._dice,
            chaos=chaos or Chaos(),
            broken_camera=broken_camera,
        )

    async def drive(self) -> DayReport:
        """Drive every route that the platform has for this driver, one after the other; then hang up.

        Raises:
            PhoneProblem: when the platform refuses what no driver can do without, as signing in.
        """
        try:
            while not await self.sync():
                await self._clock.sleep(_AGAIN_S)
            driven: set[str] = set()
            while route := next((one for one in self.routes() if one["id"] not in driven), None):
                driven.add(route["id"])
                self.report.routes.append(route["number"])
                await self._drive(route)
            self.report.finished = await self._settle()
            return self._counted()
        finally:
            await self.close()

    async def close(self) -> None:
        """Hang up, and let the store go."""
        self._counted()
        await self._line.close()
        self.book.close()

    def routes(self) -> list[dict[str, Any]]:
        """The routes that the phone knows, the one under way first."""
        known = [route for route in self.book.known("route") if not self._did("complete_route", route["id"])]
        return sorted(known, key=lambda route: (route["status"] != "in_progress", route["departs_at"], route["id"]))

    def stops(self, route_id: str) -> list[Stop]:
        """The stops of a route as the phone knows them, in the order in which they are driven."""
        known = [Stop.of(route_id, said) for said in self.book.known("stop", route_id=route_id)]
        return sorted(known, key=lambda stop: (stop.sequence, stop.delivery_id))

    async def sync(self, *, calm: bool = False) -> bool:
        """Tell the platform, and hear from it, if there is signal. Returns whether all of that went well."""
        if not self._signal.there(self._clock.now_ms(), self._here):
            return False
        try:
            await self._syncer.sync(calm=calm)
        except NoSignal:
            return False
        return True

    def tell(self, kind: str, target: str | None, payload: dict[str, Any], **options: Any) -> int:
        """Seal a command into the log: what it says has happened, as far as this phone is concerned. Its number."""
        number = self.book.append(
            kind,
            id=str(uuid.UUID(bytes=self._dice.randbytes(16), version=4)),
            target=target,
            at=self._now(),
            payload=payload,
            **options,
        )
        self.report.commands += 1
        return number

    async def _drive(self, route: dict[str, Any]) -> None:
        route_id = route["id"]
        if route["status"] == "planned" and not self._did("start_route", route_id):
            before = self.book.entries("kind = 'complete_route'")
            self.tell("start_route", route_id, {}, after=[entry.number for entry in before[-1:]])
            await self.sync()
        stands = False
        while not stands and (stop := self._next(route_id)):
            stands = await self._visit(stop)
            if self._next(route_id) is None:  # but what is heard now may send the van back to a door
                await self._settle()
        self._seal_positions(route_id)
        after = [self.book.last_about(stop.delivery_id) for stop in self.stops(route_id)]
        after += [self.book.last_about(route_id), *self._lasts_of(route_id)]
        back = {"unload_location_id": self._unload_location_id}
        if await self._settle():
            self.tell("complete_route", route_id, back, after=[number for number in after if number])
            await self._settle()

    async def _visit(self, stop: Stop) -> bool:
        """Go to a door and do what is to be done there. Returns whether the van stands for good."""
        refused = self._turned_down(stop)
        if refused is not None and not refused.code.startswith("OTP_"):  # the goods come back; for a code one goes back
            self._fail(stop, "excursion" if refused.code == "STOCK_ON_HOLD" else "other", refused.code)
        elif not await self._travel(stop):
            return False
        elif (outcome := self._plan_for(stop)).kind == "breakdown":
            await self._break_down(stop.route_id)
            return True
        else:
            await self._at_the_door(stop, outcome)
        await self.sync()
        return False

    def _next(self, route_id: str) -> Stop | None:
        """The next door: not visited by this phone, and not over as far as it has heard."""
        return next(
            (stop for stop in self.stops(route_id) if stop.status not in _ENDED and not self._visited(stop)), None
        )

    async def _travel(self, stop: Stop) -> bool:
        """Straight to the door, noting the position on the way; False: it was taken away meanwhile."""
        start = self._here or stop.door
        duration_s = distance_m(start, stop.door) / self._speed_m_per_s
        steps = max(1, math.ceil(duration_s / self._position_every_s))
        for step in range(1, steps + 1):
            await self._clock.sleep(duration_s / steps)
            share = step / steps
            self._here = (
                start[0] + (stop.door[0] - start[0]) * share,
                start[1] + (stop.door[1] - start[1]) * share,
            )
            self._note_position(stop.route_id)
            if step < steps:
                await self.sync()
                following = self._next(stop.route_id)
                if following is None or following.delivery_id != stop.delivery_id:
                    return False
        return True

    async def _at_the_door(self, stop: Stop, outcome: Outcome) -> None:
        self._seal_positions(stop.route_id)
        after = self._before(stop)
        self.tell("arrive", stop.delivery_id, {}, after=after)
        await self.sync()
        await self._clock.sleep(self._service_s)
        if outcome.kind == "fail":
            self._fail(stop, outcome.reason, outcome.note)
            return
        code = await self._code(stop)
        if stop.cash_due_minor and outcome.pays:
            paid = {"amount_minor": stop.cash_due_minor, "method": "cash", "reference": f"cash-{stop.delivery_id}"}
            self.tell("payment", stop.delivery_id, paid, after=self._before(stop))
            self.report.cash[stop.delivery_id] = stop.cash_due_minor
        number = self._prove(stop, outcome, code)
        if not await self.sync(calm=True):
            return
        [said] = self.book.entries("number = ?", number)
        if said.result in _TURNED_DOWN:  # still at the door: the goods stay in the van
            del self.report.proofs[stop.delivery_id]
            self._fail(stop, "excursion" if said.code == "STOCK_ON_HOLD" else "other", said.code)

    def _fail(self, stop: Stop, reason: str, note: str) -> None:
        self.report.failed[stop.delivery_id] = reason
        told = {"failure_reason": reason, "note": note}
        self.tell("fail", stop.delivery_id, told, after=self._before(stop))

    async def _code(self, stop: Stop) -> str | None:
        """What the customer says; without one the platform is asked to send it, if it can be asked."""
        if not stop.otp_needed:
            return None
        for _ in range(3):
            if (code := await self._ask_code(stop)) is not None:
                return code
            if not self._signal.there(self._clock.now_ms(), self._here):
                return None
            self.tell("send_otp", stop.delivery_id, {}, after=self._before(stop))
            await self.sync(calm=True)
            await self._clock.sleep(_AGAIN_S)
        return None

    def _prove(self, stop: Stop, outcome: Outcome, code: str | None) -> int:
        content = photograph(self._dice)
        sha256 = hashlib.sha256(content).hexdigest()
        kind = "signature" if outcome.signs else "photo"
        temperature_c = self._cargo_temperature_c()
        proof = {
            f"{kind}_sha256": sha256,
            "recipient_name": stop.customer_name[:120] or "at the door",
            "cargo_temperature_c": None if temperature_c is None else round(float(temperature_c), 1),
            "latitude": stop.door[0],
            "longitude": stop.door[1],
            "delivered_at": self._now(),
            "note": outcome.note,
            "otp_code": code,
        }
        self.report.proofs[stop.delivery_id] = sha256
        photo = Photo(sha256, stop.delivery_id, kind, content)
        return self.tell("deliver", stop.delivery_id, proof, after=self._before(stop), photo=photo)

    async def _break_down(self, route_id: str) -> None:
        """The van stands; somebody comes for the goods: the phone waits until no stop is left on it."""
        for _ in range(self._tries * 10):
            if self._next(route_id) is None:
                return
            await self._clock.sleep(_AGAIN_S)
            self._note_position(route_id)
            self._seal_positions(route_id)
            await self.sync()

    async def _settle(self) -> bool:
        """Get everything that the log says answered, as long as it takes. Returns whether it is."""
        for attempt in range(self._tries):
            well = await self.sync(calm=attempt > 2)
            if well and not self.book.unsettled() and not self.book.photos_to_send():
                return True
            await self._clock.sleep(_AGAIN_S)
        return False

    def _note_position(self, route_id: str) -> None:
        if self._here is None:
            return
        at = self._now()
        said = {
            "recorded_at": at,
            "latitude": self._here[0],
            "longitude": self._here[1],
            "speed_kmh": self._speed_m_per_s * 3.6,
        }
        self.book.note_position(at, said)
        self.report.positions += 1
        if self.report.positions % _POSITIONS == 0:
            self._seal_positions(route_id)

    def _seal_positions(self, route_id: str) -> None:
        noted = self.book.noted_positions()
        if noted:
            payload = {"positions": list(noted.values())}
            self.tell("position_batch", route_id, payload, positions=list(noted))

    def _before(self, stop: Stop) -> list[int]:
        """What a command about a stop builds on: the last about it, or else the start of its route."""
        last = self.book.last_about(stop.delivery_id)
        if last is None:
            starts = self.book.entries("target = ? AND kind = 'start_route'", stop.route_id)
            return [entry.number for entry in starts]
        return [last]

    def _lasts_of(self, route_id: str) -> list[int]:
        """The last entries about all that was visited on a route, be it gone from it by now."""
        known = {stop.delivery_id for stop in self.stops(route_id)}
        lasts: dict[str, int] = {}
        for entry in self.book.entries("kind IN ('deliver', 'fail')"):
            if entry.target is not None and entry.target not in known:
                lasts[entry.target] = entry.number
        return list(lasts.values())[-200:]

    def _visited(self, stop: Stop) -> bool:
        return bool(self._done_about(stop.delivery_id, ("deliver", "fail"))) and self._turned_down(stop) is None

    def _turned_down(self, stop: Stop) -> Entry | None:
        """The last word about a door, when it was a proof that the platform did not take."""
        last = self._done_about(stop.delivery_id, ("deliver", "fail"))[-1:]
        return next((one for one in last if one.kind == "deliver" and one.result in _TURNED_DOWN), None)

    def _did(self, kind: str, target: str) -> bool:
        return bool(self._done_about(target, (kind,)))

    def _done_about(self, target: str, kinds: Sequence[str]) -> list[Entry]:
        return [entry for entry in self.book.entries("target = ?", target) if entry.kind in kinds]

    def _now(self) -> str:
        """By the phone's own clock."""
        return datetime.fromtimestamp((self._clock.now_ms() + self._skew_ms) / 1000, UTC).isoformat()

    def _counted(self) -> DayReport:
        """The report, with what the platform has said so far."""
        self.report.results = {}
        self.report.disputed = []
        for entry in self.book.entries():
            result = entry.result or "unsent"
            self.report.results[result] = self.report.results.get(result, 0) + 1
            if entry.result in _TURNED_DOWN:
                self.report.disputed.append([entry.kind, entry.target or "", entry.code, entry.message])
        self.report.requests = self._line.requests
        return self.report
