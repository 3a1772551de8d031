"""Getting a phone's log to the platform over a line that cannot be trusted, and hearing what has changed."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from device_sims.phone.logbook import Entry, Logbook
from device_sims.phone.outcomes import DayReport
from device_sims.phone.wire import Line, NoSignal, Refused


@dataclass(frozen=True)
class Chaos:
    """How bad the line is: probabilities, from 0 to 1."""

    #: parts of the log go out in another order than they were written
    shuffle: float = 0.0
    #: a part is sent twice
    repeat: float = 0.0
    #: the answer to a part is lost
    cut: float = 0.0
    #: a part goes out before the pictures that it names
    photos_late: float = 0.0
    #: entries of a part, at most
    most_entries: int = 200


class Syncer:
    """Sends a phone's log and pictures, and fetches what has changed.

    Args:
        now: the present by the phone's own clock, in ISO 8601.
        broken_camera: every picture loses a byte on its way.
    """

    def __init__(
        self,
        line: Line,
        book: Logbook,
        report: DayReport,
        *,
        device_id: str,
        now: Callable[[], str],
        dice: random.Random,
        chaos: Chaos,
        broken_camera: bool = False,
    ) -> None:
        self._line = line
        self._book = book
        self._report = report
        self._device_id = device_id
        self._now = now
        self._dice = dice
        self._chaos = chaos
        self._broken_camera = broken_camera

    async def sync(self, *, calm: bool = False) -> None:
        """Send what has no final answer, then hear what has changed. `calm`: over a good line, in order.

        Raises:
            NoSignal: when the platform cannot be reached; what has arrived stays arrived.
        """
        await self._register()
        late = not calm and self._dice.random() < self._chaos.photos_late
        if not late:
            await self._send_photos()
        await self._send_log(calm=calm)
        if late:
            await self._send_photos()
        await self.hear()

    async def hear(self) -> None:
        """Fetch what has changed; a cursor that leads nowhere: all that is there."""
        cursor = self._book.fact("cursor")
        while True:
            query = {"cursor": cursor} if cursor else {}
            try:
                said = await self._line.ask("GET", "/mobile/sync", params=query)
            except Refused as refused:
                if refused.code not in ("CURSOR_GONE", "BAD_CURSOR") or not cursor:
                    raise
                cursor = ""
                continue
            self._book.be_told(said["items"], said["cursor"], anew=not cursor)
            cursor = said["cursor"]
            if not said["more"]:
                return

    async def _register(self) -> None:
        """Sign in and show the key, once; the platform then knows whose log it is."""
        if not self._line.user_id:
            await self._line.sign_in()
        if self._book.fact("key_id"):
            return
        key = self._book.key
        body = {
            "device_id": self._device_id,
            "public_key": key.public_key,
            "proof": key.possession(self._device_id, self._line.user_id),
        }
        registered = await self._line.ask("POST", "/mobile/keys", json=body)
        self._book.keep("key_id", registered["id"])

    async def _send_photos(self) -> None:
        for photo in self._book.photos_to_send():
            content = photo.content[:-1] if self._broken_camera else photo.content
            headers = {"Content-Type": "image/png", "X-Content-SHA256": photo.sha256}
            try:
                await self._line.ask("POST", "/mobile/sync/photos", content=content, headers=headers)
            except Refused as refused:
                if refused.status >= 500 or refused.status == 429:
                    raise NoSignal(str(refused)) from refused
                continue
            self._book.photo_sent(photo.sha256)

    async def _send_log(self, *, calm: bool) -> None:
        for part in self._parts([entry for entry in self._book.unsettled() if not entry.result], calm=calm):
            await self._send(part, calm=calm)
        waiting = [entry for entry in self._book.unsettled() if entry.result == "waiting"]
        for part in self._parts(waiting, calm=True):  # done meanwhile, it may be: said again it is answered again
            await self._send(part, calm=True)

    def _parts(self, entries: Sequence[Entry], *, calm: bool) -> list[list[Entry]]:
        parts: list[list[Entry]] = []
        rest = list(entries)
        while rest:
            size = self._chaos.most_entries
            if not calm and self._chaos.shuffle:
                size = self._dice.randint(1, min(size, len(rest)))
            parts.append(rest[:size])
            rest = rest[size:]
        if not calm and self._dice.random() < self._chaos.shuffle:
            self._dice.shuffle(parts)
            for part in parts:
                self._dice.shuffle(part)
        return parts

    async def _send(self, part: Sequence[Entry], *, calm: bool) -> None:
        """Send a part; now and then twice, and now and then the answer is lost."""
        answer = await self._post(part)
        if not calm and self._dice.random() < self._chaos.repeat:
            answer = await self._post(part)
        if not calm and part and self._dice.random() < self._chaos.cut:
            self._report.cut += 1
            raise NoSignal("the answer was lost on the way")
        self._book.hear(answer["results"])

    async def _post(self, part: Sequence[Entry]) -> Any:
        body = {
            "key_id": self._book.fact("key_id"),
            "sent_at": self._now(),
            "entries": [entry.sealed() for entry in part],
        }
        try:
            return await self._line.ask("POST", "/mobile/sync", json=body)
        except Refused as refused:
            if refused.code == "KEY_REVOKED":
                self._book.seal_again()
                await self._register()
                raise NoSignal("the key was revoked: sealed again with another") from refused
            if refused.status >= 500 or refused.status == 429:
                raise NoSignal(str(refused)) from refused
            raise
