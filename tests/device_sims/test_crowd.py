"""People who ask, think, and ask again."""

import asyncio
from collections.abc import Callable
from dataclasses import asdict

from device_sims.crowd import Ask, Crowd


class Desk:
    """An HTTP server that knows one page, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = next((int(line[16:]) for line in head.split("\r\n") if line.startswith("Content-Length")), 0)
                self.asked.append(head + (await reader.readexactly(length)).decode())
                known = "If-None-Match" in head
                answer = "HTTP/1.1 304 Not Modified" if known else "HTTP/1.1 200 OK"
                body = "" if known else "[]"
                writer.write(f'{answer}\r\nETag: "1"\r\nContent-Length: {len(body)}\r\n\r\n{body}'.encode())
        except asyncio.IncompleteReadError:
            writer.close()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - a crowd announces nothing
            await asyncio.sleep(0.01)


async def test_a_page_is_asked_for_again_with_what_it_was_called() -> None:
    desk, crowd = Desk(), Crowd()
    async with await asyncio.start_server(desk.serve, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        page = Ask("page", 1, "GET", "/page")
        order = Ask("order", 1, "POST", "/orders", '{"at": "$now", "key": "$id"}')
        people = [
            {"authorization": "Bearer a", "asks": [asdict(page)], "thinks_s": 0.0},
            {"authorization": "Bearer b", "asks": [asdict(order)], "thinks_s": 0.0},
        ]
        assert crowd.gather(host, port, people) == {"people": 2}
        await crowd.let_ask(2)
        await until(lambda: min(len(crowd.took_ms["page"]), len(crowd.took_ms["order"])) >= 3)
        assert await crowd.let_ask(0) == {"people": 0}
    told = crowd.report()

    pages = [text for text in desk.asked if text.startswith("GET")]
    assert ["If-None-Match" in text for text in pages[:3]] == [False, True, True]
    orders = [text for text in desk.asked if text.startswith("POST")]
    assert len(set(orders)) == len(orders)
    assert not any("$" in text for text in orders)
    assert all("Bearer a" in text for text in pages)
    assert set(told["statuses"]) == {"200", "304"}
    assert sum(told["statuses"].values()) == sum(len(values) for values in told["took_ms"].values())


async def test_who_is_not_answered_is_counted_and_asks_again() -> None:
    crowd = Crowd()
    async with await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        ask = asdict(Ask("page", 1, "GET", "/page"))
        crowd.gather(host, port, [{"authorization": "Bearer a", "asks": [ask], "thinks_s": 0.0}])
        await crowd.let_ask(1)
        await until(lambda: crowd.statuses["no answer"] >= 2)
        await crowd.let_ask(0)
    assert crowd.report()["took_ms"] == {}
