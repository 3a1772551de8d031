"""Pictures of what comes back: whose they are, what is kept of them, and until when one may be taken away."""

import io
import uuid
from typing import Any

from PIL import Image
from sqlalchemy import select

from cloud_api.kernel import clock
from cloud_api.media.models import Media
from cloud_api.returns.models import ReturnPicture
from cloud_api.returns.pictures import MOST_PICTURES
from tests.cloud_api.media.samples import CSV, MEDIA, code_of, picture, sent
from tests.cloud_api.returns.pictures import picture_of, send_picture
from tests.factories.farms import make_person
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.returns import RETURNS, hand_over_order
from tests.factories.scopes import id_of, make_buyer, make_keeper
from tests.factories.stores import make_warehouse
from tests.platform_under_test import Platform, Tenant

pytestmark = IN_ONE_LOOP


async def pictures_in(person: Tenant, return_id: str) -> list[dict[str, Any]]:
    """As they stand in the return."""
    shown: list[dict[str, Any]] = (await person.get(f"{RETURNS}/{return_id}"))["pictures"]
    return shown


async def taken_away(person: Tenant, return_id: str, picture_id: str) -> tuple[int, str]:
    answer = await person.client.delete(f"{RETURNS}/{return_id}/pictures/{picture_id}")
    return (answer.status_code, "") if answer.is_success else code_of(answer)


def photo() -> bytes:
    """By a camera that lay on its side, and that says where."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8825)[1] = "N"
    return picture(60, 40, kind="JPEG", exif=exif)


async def test_a_picture_is_shown_upright_and_does_not_say_where_it_was_taken(farm: Platform) -> None:
    handed = await hand_over_order(farm)
    one = await handed.take_back()
    line_id = one["lines"][0]["id"]
    first = await send_picture(handed.tenant, one["id"], photo(), mime="image/jpeg", line_id=line_id)
    again = await send_picture(handed.tenant, one["id"], photo(), mime="image/jpeg")
    assert first.json()["data"] == again.json()["data"]
    [shown] = await pictures_in(handed.tenant, one["id"])
    me = await id_of(handed.tenant)
    assert (shown["return_line_id"], shown["sent_by"], shown["stands"]) == (line_id, me, False)
    at = f"{RETURNS}/{one['id']}/pictures/{shown['id']}"
    for size in ("small", "large"):
        answer = await handed.tenant.client.get(at, params={"size": size})
        with Image.open(io.BytesIO(answer.content)) as seen:
            assert (seen.format, seen.size, dict(seen.getexif())) == ("WEBP", (40, 60), {})
        known = {"If-None-Match": answer.headers["etag"]}
        assert (await handed.tenant.client.get(at, params={"size": size}, headers=known)).status_code == 304
    assert (await handed.tenant.client.get(MEDIA)).json()["data"] == [], "it is not among the organisation's files"


async def test_a_picture_by_which_something_was_decided_stays(farm: Platform) -> None:
    handed = await hand_over_order(farm)
    one = await handed.ask()
    before = await picture_of(handed.tenant, one["id"])
    await handed.tenant.put(f"{RETURNS}/{one['id']}", {"status": "approved", "reason": "of course"})
    since = await picture_of(handed.tenant, one["id"], width=22)
    assert [shown["stands"] for shown in await pictures_in(handed.tenant, one["id"])] == [True, False]
    assert await taken_away(handed.tenant, one["id"], before["id"]) == (409, "PICTURE_STANDS")
    assert await taken_away(handed.tenant, one["id"], since["id"]) == (204, "")
    assert await taken_away(handed.tenant, one["id"], since["id"]) == (404, "NOT_FOUND")

    inspected = await handed.inspect_approved(one)
    found = await picture_of(handed.tenant, one["id"], width=24)
    await handed.scrap(inspected)
    assert await taken_away(handed.tenant, one["id"], found["id"]) == (409, "PICTURE_STANDS")
    late = await send_picture(handed.tenant, one["id"], picture(26))
    assert code_of(late) == (409, "RETURN_CLOSED")
    assert len(await pictures_in(handed.tenant, one["id"])) == 2


async def test_money_that_was_granted_was_granted_by_the_pictures(farm: Platform) -> None:
    handed = await hand_over_order(farm)
    one = await handed.inspect("1", condition="spoiled")
    shown = await picture_of(handed.tenant, one["id"])
    await handed.tenant.post(f"{RETURNS}/{one['id']}/refund")
    assert await taken_away(handed.tenant, one["id"], shown["id"]) == (409, "PICTURE_STANDS")


async def test_bytes_go_with_the_last_that_shows_them_unless_somebody_listed_them(farm: Platform) -> None:
    handed = await hand_over_order(farm)
    one, other = await handed.ask("1"), await handed.ask("1")
    listed = await sent(handed.tenant, picture(22))
    shown = [await picture_of(handed.tenant, asked["id"], width=20) for asked in (one, other)]
    await picture_of(handed.tenant, one["id"], width=22)
    refused = await handed.tenant.client.delete(f"{MEDIA}/{listed['id']}")
    assert code_of(refused) == (409, "STILL_ATTACHED")

    async def files() -> int:
        async with farm.database.unit_of_work(farm.tenant.organization) as db:
            return len((await db.scalars(select(Media))).all())

    for row in await pictures_in(handed.tenant, one["id"]):
        assert await taken_away(handed.tenant, one["id"], row["id"]) == (204, "")
    assert await files() == 2
    assert await taken_away(handed.tenant, other["id"], shown[1]["id"]) == (204, "")
    assert await files() == 1
    assert (await handed.tenant.client.delete(f"{MEDIA}/{listed['id']}")).status_code == 204


async def test_what_is_no_picture_of_this_return_is_refused(farm: Platform) -> None:
    handed = await hand_over_order(farm)
    one, other = await handed.ask("1"), await handed.ask("1")
    for content, mime in ((CSV, "text/csv"), (b"not a picture", "image/jpeg"), (b"", "image/png")):
        answer = await send_picture(handed.tenant, one["id"], content, mime=mime)
        assert code_of(answer) == (422, "FILE_REFUSED"), mime
    theirs = await send_picture(handed.tenant, one["id"], picture(), line_id=other["lines"][0]["id"])
    assert code_of(theirs) == (404, "NOT_FOUND")
    shown = await picture_of(handed.tenant, other["id"])
    assert await taken_away(handed.tenant, one["id"], shown["id"]) == (404, "NOT_FOUND")
    too_large = {"Content-Type": "image/jpeg", "Content-Length": "25000001"}
    answer = await handed.tenant.client.post(f"{RETURNS}/{one['id']}/pictures", content=b"", headers=too_large)
    assert answer.status_code == 413


async def test_more_pictures_than_anybody_looks_at_are_refused_and_leave_nothing(farm: Platform) -> None:
    handed = await hand_over_order(farm)
    one = await handed.ask()
    first = await picture_of(handed.tenant, one["id"])
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        for number in range(1, MOST_PICTURES):
            file = Media(sha256=f"{number:064}", mime="image/png", size_bytes=1, received_at=clock.now())
            db.add(file)
            await db.flush()
            db.add(
                ReturnPicture(
                    return_id=uuid.UUID(one["id"]), media_id=file.id, sent_by=file.id, sent_at=file.received_at
                )
            )
    answer = await send_picture(handed.tenant, one["id"], picture(22))
    assert code_of(answer) == (409, "TOO_MANY_PICTURES")
    assert (await picture_of(handed.tenant, one["id"]))["id"] == first["id"], "the same is no further one"
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        assert len((await db.scalars(select(Media))).all()) == MOST_PICTURES


async def test_a_customer_shows_why_they_ask_and_sees_nothing_of_the_store(farm: Platform) -> None:
    customer_id, buyer = await make_buyer(farm)
    handed, others = await hand_over_order(farm, customer_id=customer_id), await hand_over_order(farm)
    one = await handed.ask("1", by=buyer)
    mine = await picture_of(buyer, one["id"])
    stores = await picture_of(handed.tenant, one["id"], width=22)
    assert [shown["id"] for shown in await pictures_in(buyer, one["id"])] == [mine["id"]]
    assert [shown["id"] for shown in await pictures_in(handed.tenant, one["id"])] == [mine["id"], stores["id"]]
    at = f"{RETURNS}/{one['id']}/pictures"
    assert (await buyer.client.get(f"{at}/{mine['id']}")).status_code == 200
    assert (await buyer.client.get(f"{at}/{stores['id']}")).status_code == 404
    assert await taken_away(buyer, one["id"], stores["id"]) == (404, "NOT_FOUND")
    foreign = await others.ask("1")
    assert code_of(await send_picture(buyer, foreign["id"], picture())) == (404, "NOT_FOUND")
    await handed.tenant.put(f"{RETURNS}/{one['id']}", {"status": "approved", "reason": "of course"})
    assert code_of(await send_picture(buyer, one["id"], picture(24))) == (409, "RETURN_CLOSED")
    assert await taken_away(buyer, one["id"], mine["id"]) == (409, "PICTURE_STANDS")


async def test_who_may_only_look_adds_nothing_and_who_works_elsewhere_sees_nothing(farm: Platform) -> None:
    handed = await hand_over_order(farm)
    one = await handed.ask()
    shown = await picture_of(handed.tenant, one["id"])
    viewer = await make_person(farm, farm.tenant, "viewer")
    elsewhere = await make_keeper(farm, await make_warehouse(farm.tenant))
    at = f"{RETURNS}/{one['id']}/pictures/{shown['id']}"
    assert (await viewer.client.get(at)).status_code == 200
    assert code_of(await send_picture(viewer, one["id"], picture(22))) == (403, "FORBIDDEN")
    assert await taken_away(viewer, one["id"], shown["id"]) == (403, "FORBIDDEN")
    assert (await elsewhere.client.get(at)).status_code == 404
    assert code_of(await send_picture(elsewhere, one["id"], picture(22))) == (404, "NOT_FOUND")
    assert await taken_away(elsewhere, one["id"], shown["id"]) == (404, "NOT_FOUND")


async def test_the_trail_names_who_added_and_who_took_away(farm: Platform) -> None:
    handed = await hand_over_order(farm)
    one = await handed.ask()
    shown = await picture_of(handed.tenant, one["id"])
    assert await taken_away(handed.tenant, one["id"], shown["id"]) == (204, "")
    trail = await handed.tenant.get("/api/v1/admin/security/audit-logs", entity_id=shown["id"])
    assert {row["action"].rpartition(".")[2] for row in trail} == {"created", "deleted"}
