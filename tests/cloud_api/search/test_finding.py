"""What is found, in which order, by whom; on both databases."""

import asyncio
import uuid

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from cloud_api.kernel.db import Database
from cloud_api.search import finding, service
from cloud_api.search.models import SearchEntry, SearchWord
from cloud_api.search.queries import Narrowed, Sight, has_words
from cloud_api.search.words import words
from tests.cloud_api.kernel.rows import add_organization
from tests.cloud_api.search.things import ALL_OF_IT, found, put, suggested
from tests.factories.properties import FEW


async def test_things_are_found_by_words_beginnings_and_what_was_meant(shared_database: Database) -> None:
    async with shared_database.unit_of_work(await add_organization(shared_database)) as db:
        for title in ("Cherry tomato", "Baby spinach", "Capsicum red"):
            await put(db, title)
        assert await found(db, "TOMATO") == ["Cherry tomato"]
        assert await found(db, "spin bab") == ["Baby spinach"]
        assert await found(db, "tomatoe") == ["Cherry tomato"]
        assert await found(db, "spinch") == ["Baby spinach"]
        assert await found(db, "red capiscum") == ["Capsicum red"]
        assert await found(db, "omat") == ["Cherry tomato"]
        assert await found(db, "aubergine") == []
        assert await found(db, "tomato spinach") == []


async def test_a_list_is_narrowed_to_what_has_the_words_however_many_have_them(shared_database: Database) -> None:
    async with shared_database.unit_of_work(await add_organization(shared_database)) as db:
        for title in ("Cherry tomato", "Tomato puree", "Baby spinach"):
            await put(db, title)
        await put(db, "Tomato order", kind="order")
        titles = select(SearchEntry.title).order_by(SearchEntry.title)
        for asked, of in {
            "TOMA": ["Cherry tomato", "Tomato puree"],
            "tomato cher": ["Cherry tomato"],
            "mato": [],
            "...": [],
        }.items():
            named = await finding.having_words(db, "product", SearchEntry.entity_id, asked)
            assert (await db.scalars(titles.where(named))).all() == of, asked
            if words(asked):
                looked_up = has_words("product", SearchEntry.entity_id, words(asked))
                assert (await db.scalars(titles.where(looked_up))).all() == of, asked


async def test_what_was_understood_is_said_and_only_when_it_differs(shared_database: Database) -> None:
    async with shared_database.unit_of_work(await add_organization(shared_database)) as db:
        await put(db, "Cherry tomato")
        meant = await finding.search(db, ALL_OF_IT, "chery tomatoe", narrowed=Narrowed(), limit=5)
        assert meant.understood_as == "cherry tomato"
        assert (await finding.search(db, ALL_OF_IT, "cherry", narrowed=Narrowed(), limit=5)).understood_as is None


async def test_numbers_come_first_then_titles_then_the_rest(shared_database: Database) -> None:
    async with shared_database.unit_of_work(await add_organization(shared_database)) as db:
        await put(db, "In the text", text="about TOM-7 and others")
        await put(db, "Tom 7 in the title")
        await put(db, "Another number", code="TOM-77")
        await put(db, "The number", code="TOM-7")
        assert await found(db, "tom-7") == ["The number", "Another number", "Tom 7 in the title", "In the text"]


async def test_a_gtin_in_the_text_is_a_number(shared_database: Database) -> None:
    async with shared_database.unit_of_work(await add_organization(shared_database)) as db:
        await put(db, "8901234567894 in a title")
        await put(db, "Spinach", text="GTIN 8901234567894")
        assert (await found(db, "8901234567894"))[0] == "Spinach"


async def test_a_changed_thing_is_found_as_it_is_now_and_a_forgotten_one_never(shared_database: Database) -> None:
    async with shared_database.unit_of_work(await add_organization(shared_database)) as db:
        id = await put(db, "Kale", code="K-1")
        await put(db, "Curly kale", code="K-1", id=id)
        assert await found(db, "kale") == ["Curly kale"]
        await put(db, "Chard", code="K-1", id=id)
        assert await found(db, "kale") == []
        assert await found(db, "chard") == ["Chard"]
        await service.forget(db, "product", id)
        assert await found(db, "chard") == await found(db, "K-1") == []
        await service.forget(db, "product", id)


async def test_putting_the_same_again_writes_nothing(shared_database: Database) -> None:
    scope = await add_organization(shared_database)
    async with shared_database.unit_of_work(scope) as db:
        id = await put(db, "Kale", code="K-1", facets={"b": "2", "a": "1"})
        before = await db.scalar(select(SearchEntry.put_at))
    async with shared_database.unit_of_work(scope) as db:
        await put(db, "Kale", code="K-1", facets={"a": "1", "b": "2"}, id=id)
        assert await db.scalar(select(SearchEntry.put_at)) == before


async def test_another_organisation_finds_nothing_of_it(shared_database: Database) -> None:
    ours, theirs = await add_organization(shared_database), await add_organization(shared_database)
    async with shared_database.unit_of_work(ours) as db:
        await put(db, "Cherry tomato", code="SKU-9")
    async with shared_database.unit_of_work(theirs) as db:
        for asked in ("tomato", "tomatoe", "omat", "SKU-9"):
            assert await found(db, asked) == await suggested(db, asked) == []
        assert (await finding.facets(db, ALL_OF_IT, "", narrowed=Narrowed())).total == 0


async def test_only_what_one_may_read_and_only_where_one_may_be(shared_database: Database) -> None:
    here, there = uuid.uuid4(), uuid.uuid4()
    async with shared_database.unit_of_work(await add_organization(shared_database)) as db:
        lot = await put(db, "Kale here", kind="lot", permission="stock:read", warehouse_id=here)
        await put(db, "Kale here", kind="lot", permission="stock:read", warehouse_id=there, id=lot)
        await put(db, "Kale there", kind="lot", permission="stock:read", warehouse_id=there)
        await put(db, "Kale", permission="products:read")
        stock = frozenset({"stock:read"})
        assert sorted(await found(db, "kale")) == ["Kale", "Kale here", "Kale there"]
        assert await found(db, "kale", sight=Sight(stock, frozenset({here}))) == ["Kale here"]
        assert await found(db, "kale", sight=Sight(None, frozenset({here}))) == ["Kale", "Kale here"]
        assert await found(db, "kal", sight=Sight(frozenset(), None)) == []
        assert await suggested(db, "ka", sight=Sight(stock, frozenset({here}))) == ["Kale here"]
        counted = await finding.facets(db, Sight(stock, frozenset({here})), "kale", narrowed=Narrowed())
        assert (counted.total, counted.counts) == (1, {"kind": {"lot": 1}})


async def test_facets_count_things_and_narrow_them(shared_database: Database) -> None:
    async with shared_database.unit_of_work(await add_organization(shared_database)) as db:
        for number in range(5):
            facets = {"category": 'Gr"een: 100%' if number < 2 else "Roots", "status": "active"}
            await put(db, f"Thing {number} thing", facets=facets)
        await put(db, "Thing", kind="order", facets={"status": "pending"})
        counted = await finding.facets(db, ALL_OF_IT, "thing", narrowed=Narrowed())
        assert counted.counts == {
            "kind": {"product": 5, "order": 1},
            "category": {'Gr"een: 100%': 2, "Roots": 3},
            "status": {"active": 5, "pending": 1},
        }
        assert (counted.total, counted.complete) == (6, True)
        green = Narrowed("product", {"category": 'Gr"een: 100%'})
        assert sorted(await found(db, "thing", narrowed=green)) == ["Thing 0 thing", "Thing 1 thing"]
        assert (await finding.facets(db, ALL_OF_IT, "", narrowed=green)).total == 2
        assert (await finding.facets(db, ALL_OF_IT, "thnig", narrowed=green)).understood_as == "thing"


async def test_suggestions_have_different_titles_and_take_slips(shared_database: Database) -> None:
    async with shared_database.unit_of_work(await add_organization(shared_database)) as db:
        for title in ("Tomato", "Tomato", "Tomato paste", "Green tomato"):
            await put(db, title)
        assert set(await suggested(db, "tom")) == {"Tomato", "Tomato paste", "Green tomato"}
        assert set(await suggested(db, "tommato")) == {"Tomato", "Tomato paste", "Green tomato"}
        assert await suggested(db, "tomato pa") == ["Tomato paste"]
        assert await suggested(db, "  ") == []


@FEW
@given(
    asked=st.lists(
        st.sampled_from(
            [
                '"',
                "'",
                "*",
                "-",
                "(",
                ")",
                "NEAR",
                "OR",
                "AND",
                ":",
                "\0",
                "%",
                "_",
                "^",
                "kale",
                "\\",
                "a" * 10_000,
                "\udc80",
                "💧",
                "{",
                "́",
            ]
        ),
        max_size=12,
    ).map("".join)
    | st.text()
)
async def test_no_question_is_an_error(shared_database: Database, asked: str) -> None:
    async with shared_database.unit_of_work(await add_organization(shared_database)) as db:
        storable = asked.replace("\0", "").encode(errors="ignore").decode()
        await put(db, f"Kale {storable}", code=storable)
        await found(db, asked)
        await suggested(db, asked)
        await finding.facets(db, ALL_OF_IT, asked, narrowed=Narrowed())


async def test_two_who_put_one_thing_at_once_leave_one_entry(database: Database) -> None:
    scope, id = await add_organization(database), uuid.uuid4()

    async def one(title: str) -> None:
        async with database.unit_of_work(scope) as db:
            await put(db, title, code="K-1", id=id)

    for turn in range(5):
        await asyncio.gather(*(one(f"Kale {turn} {writer}") for writer in range(6)))
    async with database.unit_of_work(scope) as db:
        assert await db.scalar(select(func.count(SearchEntry.id))) == 1
        entry = (await db.scalars(select(SearchEntry))).one()
        assert set(await db.scalars(select(SearchWord.word))) == {"k1", "k", "1", *entry.title.lower().split()}
