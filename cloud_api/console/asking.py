"""Asking the API, in this process, for the person whose browser it is: with their rights, limits and address."""

import asyncio
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx2
from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from cloud_api.kernel.permissions import CONSOLE, Proved

_BASE = "http://console/api/v1"
#: as the API answers: an envelope with `data`, or one with `error`
Answer = Any


@dataclass
class Refused(Exception):
    """The API did not do it, and says why."""

    status: int
    code: str
    message: str
    #: what is wrong with which field, by the field's dotted path
    fields: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


@dataclass(frozen=True)
class Listing:
    """One page of a list."""

    items: list[Answer]
    next_cursor: str | None


class Desk:
    """Where the console asks.

    Args:
        token: the person's access token; empty before they have signed in.
        address: (host, port) that their request came from.
        request_id: of their request: what is done for it stands under the same id in the logs.
    """

    def __init__(self, app: FastAPI, token: str, *, address: tuple[str, int], request_id: str, agent: str = "") -> None:
        # one for each request: it holds no sockets, and knows who asks
        self._proved: Proved = {}
        self._client = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=self._inside(app), client=address),
            base_url=_BASE,
            follow_redirects=False,
        )
        self._headers = {"X-Request-ID": request_id, "User-Agent": agent}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"

    async def get(self, path: str, **query: object) -> Answer:
        """The data that is at `path`, below `/api/v1`.

        Raises:
            Refused: when it is not given.
        """
        return (await self._asked("GET", path, query=query)).get("data")

    async def page(self, path: str, **query: object) -> Listing:
        """One page of a list; `limit` and `cursor` are among the query.

        Raises:
            Refused: when it is not given.
        """
        said = await self._asked("GET", path, query=query)
        return Listing(said["data"], said.get("meta", {}).get("next_cursor"))

    async def every(self, path: str, *, most: int = 1_000, **query: object) -> list[Answer]:
        """All of a list that is known to be short, as warehouses are, for choices in forms; at most so many.

        Raises:
            Refused: when it is not given.
        """
        items: list[Answer] = []
        cursor = None
        while len(items) < most:
            part = await self.page(path, **{**query, "limit": 200, "cursor": cursor})
            items += part.items
            if (cursor := part.next_cursor) is None:
                break
        return items[:most]

    async def do(self, method: str, path: str, body: object = None, *, key: str = "", **query: object) -> Answer:
        """What the API answers to a write.

        Args:
            key: the form's `Idempotency-Key`: sent twice, it is done once.

        Raises:
            Refused: when it is not done.
        """
        return (await self._asked(method, path, query=query, body=body, key=key)).get("data")

    async def raw(self, path: str, **query: object) -> httpx2.Response:
        """A file, as the API hands it out.

        Raises:
            Refused: when it does not.
        """
        answer = await self._sent("GET", path, query=query)
        if answer.status_code >= 400:
            raise _refusal(answer)
        return answer

    async def send_bytes(
        self, method: str, path: str, content: bytes = b"", *, headers: Mapping[str, str] | None = None, **query: object
    ) -> httpx2.Response:
        """The API's answer, whatever it is, to bytes that somebody else has written: what a phone sealed, a picture.

        Args:
            headers: what they are, as `Content-Type`.
        """
        return await self._request(method, path, query, headers or {}, content=content)

    async def send_file(self, method: str, path: str, content: bytes, kind: str, **query: object) -> Answer:
        """What the API answers to a file that somebody chose.

        Args:
            kind: its media type.

        Raises:
            Refused: when it is not taken.
        """
        answer = await self._request(method, path, query, {"Content-Type": kind}, content=content)
        if answer.status_code >= 400:
            raise _refusal(answer)
        return answer.json().get("data")

    async def _asked(
        self, method: str, path: str, *, query: Mapping[str, object], body: object = None, key: str = ""
    ) -> dict[str, Answer]:
        answer = await self._sent(method, path, query=query, body=body, key=key)
        if answer.status_code >= 400:
            raise _refusal(answer)
        return {} if answer.status_code == 204 or not answer.content else answer.json() or {}

    async def _sent(
        self, method: str, path: str, *, query: Mapping[str, object], body: object = None, key: str = ""
    ) -> httpx2.Response:
        return await self._request(method, path, query, {"Idempotency-Key": key} if key else {}, json=body)

    async def _request(
        self, method: str, path: str, query: Mapping[str, object], headers: Mapping[str, str], **body: Any
    ) -> httpx2.Response:
        try:
            return await self._client.request(
                method, path, params=_params(query), headers=self._headers | dict(headers), **body
            )
        finally:
            if method != "GET":  # it may have changed who they are, or what they may
                self._proved.clear()

    def _inside(self, app: FastAPI) -> ASGIApp:
        """The application, told that it is the console that asks, and what it knows of who asks."""

        async def asked(scope: Scope, receive: Receive, send: Send) -> None:
            await app({**scope, CONSOLE: self._proved}, receive, send)

        return asked


if TYPE_CHECKING:
    together = asyncio.gather
else:

    async def together(*asked):
        """Ask all of it at once. A refusal is raised when all have come to their end: none goes on behind a page."""
        answers = await asyncio.gather(*asked, return_exceptions=True)
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
        return answers


async def nothing() -> list[Any]:
    """Instead of a question, among others, that somebody may not ask."""
    return []


async def gathered(*asked: Awaitable[Answer]) -> list[Answer]:
    """What several questions are answered, all at once; None for one that is refused."""
    said = await asyncio.gather(*asked, return_exceptions=True)
    for one in said:
        if isinstance(one, BaseException) and not isinstance(one, Refused):
            raise one
    return [None if isinstance(one, Refused) else one for one in said]


def _params(query: Mapping[str, object]) -> list[tuple[str, str | int | float | bool | None]]:
    return [(name, _text(one)) for name, value in query.items() for one in _each(value)]


def _each(value: object) -> list[object]:
    if isinstance(value, list | tuple | set | frozenset):
        return list(value)
    return [] if value is None or value == "" else [value]


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _refusal(answer: httpx2.Response) -> Refused:
    try:
        error = answer.json()["error"]
    except (ValueError, KeyError, TypeError):
        return Refused(answer.status_code, "UNKNOWN", answer.text[:300] or "the platform did not answer")
    fields = {detail["field"]: detail["message"] for detail in error["details"]}
    return Refused(answer.status_code, error["code"], error["message"], fields)
