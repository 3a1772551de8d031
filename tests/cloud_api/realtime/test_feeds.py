"""One reading for all who see the same, however many watch and however much changes."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from sqlalchemy.exc import OperationalError

from cloud_api.kernel.db import Database
from cloud_api.realtime.feeds import Feeds, Pace
from cloud_api.realtime.hub import Hub
from tests.cloud_api.realtime.views import Kept, Shelf, ShelfView
from tests.services.waiting import until


@pytest.fixture
async def feeds(shared_sqlite_url: str) -> AsyncIterator[Feeds]:
    database = Database(shared_sqlite_url)
    yield Feeds(database, Hub())
    await database.close()


#: a view is looked at again when a topic turns up in it, and when something changes while it is looked at
FEW = 3


async def test_a_change_is_read_once_for_all_who_see_the_same(feeds: Feeds) -> None:
    shelf, outlets = Shelf({"1": "milk"}), [Kept() for _ in range(40)]
    for outlet in outlets:
        feeds.join(ShelfView(shelf), outlet)
    for outlet in outlets:
        assert await outlet.hears(1) == [{"type": "state", "items": [{"id": "1", "name": "milk"}]}]

    looks = shelf.looks
    shelf.things["2"] = "fish"
    feeds.hub.wake("shelf")
    for outlet in outlets:
        assert (await outlet.hears(2))[1] == {"type": "change", "items": [{"id": "2", "name": "fish"}], "gone": []}
    assert shelf.looks <= looks + FEW
    assert len({id(outlet.handed[1].frame) for outlet in outlets}) == 1
    for outlet in outlets:
        await feeds.leave(ShelfView(shelf), outlet)


async def test_many_changes_at_once_are_few_readings(feeds: Feeds) -> None:
    shelf, outlet = Shelf(), Kept()
    view = ShelfView(shelf)
    feeds.join(view, outlet)
    await outlet.hears(1)
    looks = shelf.looks
    for number in range(200):
        shelf.things[str(number)] = "milk"
        feeds.hub.wake("shelf")
    [_, change] = await outlet.hears(2)
    assert len(change["items"]) == 200
    assert shelf.looks <= looks + FEW
    await feeds.leave(view, outlet)


async def test_who_sees_less_is_handed_what_was_read_for_who_sees_less(feeds: Feeds) -> None:
    shelf, keeper, cook = Shelf({"1": "milk", "2": "fish"}), Kept(), Kept()
    wide, narrow = ShelfView(shelf), ShelfView(shelf, rights="fish")
    feeds.join(wide, keeper)
    feeds.join(narrow, cook)
    assert [item["name"] for item in (await keeper.hears(1))[0]["items"]] == ["milk", "fish"]
    assert [item["name"] for item in (await cook.hears(1))[0]["items"]] == ["fish"]
    shelf.things["3"] = "milk"
    feeds.hub.wake("shelf")
    await keeper.hears(2)
    shelf.things["4"] = "fish"
    feeds.hub.wake("shelf")
    assert [item["id"] for item in (await cook.hears(2))[1]["items"]] == ["4"]
    for view, outlet in ((wide, keeper), (narrow, cook)):
        await feeds.leave(view, outlet)


async def test_who_comes_later_begins_with_everything_and_what_is_gone_is_named(feeds: Feeds) -> None:
    shelf, early, late = Shelf({"1": "milk", "2": "fish"}), Kept(), Kept()
    view = ShelfView(shelf)
    feeds.join(view, early)
    await early.hears(1)
    del shelf.things["1"]
    shelf.things["2"] = "cod"
    feeds.hub.wake("shelf")
    assert (await early.hears(2))[1] == {"type": "change", "items": [{"id": "2", "name": "cod"}], "gone": ["1"]}
    feeds.join(view, late)
    assert await late.hears(1) == [{"type": "state", "items": [{"id": "2", "name": "cod"}]}]
    for outlet in (early, late):
        await feeds.leave(view, outlet)


async def test_a_reading_that_finds_nothing_new_is_sent_to_nobody(feeds: Feeds) -> None:
    shelf, outlet = Shelf({"1": "milk"}), Kept()
    view = ShelfView(shelf)
    feeds.join(view, outlet)
    await outlet.hears(1)
    looks = shelf.looks
    feeds.hub.wake("shelf")
    await until(lambda: shelf.looks > looks, what="it is looked at")
    shelf.things["2"] = "fish"
    feeds.hub.wake("shelf")
    assert [item["id"] for item in (await outlet.hears(2))[1]["items"]] == ["2"]
    await feeds.leave(view, outlet)


async def test_what_changes_while_a_topic_is_not_watched_yet_is_seen(feeds: Feeds) -> None:
    """A place inside turns up in the picture: what happened in it between that look and now is not missed."""
    shelf, outlet = Shelf({"1": "milk"}), Kept()
    view = ShelfView(shelf)
    shelf.meanwhile = lambda: shelf.things.update({"2": "fish"})
    feeds.join(view, outlet)
    assert [item["id"] for item in (await outlet.hears(2))[1]["items"]] == ["2"]
    shelf.topics = frozenset({"shelf", "drawer"})
    feeds.hub.wake("shelf")
    await until(lambda: "drawer" in feeds.hub._watchers, what="the drawer is watched")
    shelf.things["3"] = "cod"
    feeds.hub.wake("drawer")
    assert [item["id"] for item in (await outlet.hears(3))[2]["items"]] == ["3"]
    await feeds.leave(view, outlet)


async def test_silence_is_seen_although_nobody_announces_it(feeds: Feeds) -> None:
    shelf, outlet = Shelf({"1": "online"}), Kept()
    view = replace(ShelfView(shelf), pace=Pace(look_every_s=0.02))
    feeds.join(view, outlet)
    await outlet.hears(1)
    shelf.things["1"] = "offline"
    assert (await outlet.hears(2))[1]["items"] == [{"id": "1", "name": "offline"}]
    await feeds.leave(view, outlet)


@pytest.mark.parametrize("trouble", [OSError("gone"), OperationalError("SELECT", {}, OSError("gone"))])
async def test_a_database_that_went_away_is_asked_again(feeds: Feeds, trouble: Exception) -> None:
    shelf, outlet = Shelf({"1": "milk"}, trouble=trouble), Kept()
    view = ShelfView(shelf)
    feeds.join(view, outlet)
    assert await outlet.hears(1) == [{"type": "state", "items": [{"id": "1", "name": "milk"}]}]
    await feeds.leave(view, outlet)


async def test_what_nobody_watches_is_not_looked_at(feeds: Feeds) -> None:
    shelf, first, last = Shelf({"1": "milk"}), Kept(), Kept()
    view = ShelfView(shelf)
    for outlet in (first, last):
        feeds.join(view, outlet)
        await outlet.hears(1)
    await feeds.leave(view, first)
    shelf.things["2"] = "fish"
    feeds.hub.wake("shelf")
    await last.hears(2)
    assert len(first.handed) == 1
    assert set(feeds.hub._watchers) == {"shelf"}
    await feeds.leave(view, last)
    assert not feeds.hub._watchers


async def test_what_may_wait_for_a_socket_grows_with_what_there_is_to_see(feeds: Feeds) -> None:
    """Whoever is handed everything at the beginning is not taken for slow because of it."""
    small, large = Shelf({"1": "milk"}), Shelf({str(number): "m" * 1000 for number in range(1000)})
    limits = []
    for shelf in (small, large):
        outlet, view = Kept(), ShelfView(shelf)
        feeds.join(view, outlet)
        await outlet.hears(1)
        limits.append(outlet.most_behind_bytes)
        await feeds.leave(view, outlet)
    assert 200_000 < limits[0] < 300_000
    assert limits[1] > 1_200_000
