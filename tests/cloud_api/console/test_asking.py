"""Asking the API, and what people typed."""

import asyncio
from datetime import timedelta

import pytest

from cloud_api.console.asking import Refused, together
from cloud_api.console.forms import Form
from cloud_api.kernel import clock
from tests.platform_under_test import PASSWORD, Platform


async def test_nothing_goes_on_behind_a_page_that_was_refused() -> None:
    ended = []

    async def slow() -> str:
        for _ in range(3):
            await asyncio.sleep(0)
        ended.append("slow")
        return "said"

    async def refused() -> str:
        raise Refused(403, "FORBIDDEN", "not for you")

    with pytest.raises(Refused, match="not for you"):
        await together(refused(), slow())
    assert ended == ["slow"]
    assert list(await together(slow(), slow())) == ["said", "said"]


def test_dotted_names_are_objects_and_lists_and_what_is_empty_is_left_out() -> None:
    form = Form(values={"name": " Hotel ", "note": " ", "lines.1.quantity": "2", "lines.0.quantity": "1", "_key": "x"})
    assert form.body(version=3) == {"name": "Hotel", "lines": [{"quantity": "1"}, {"quantity": "2"}], "version": 3}
    assert form.body("name") == {"name": "Hotel"}


def test_a_form_shows_what_is_there_and_each_complaint_beside_its_field() -> None:
    form = Form.of({"name": "Hotel", "lines": [{"quantity": 1, "open": True}]}, until=None)
    assert (form.get("lines.0.quantity"), form.get("lines.0.open"), form.get("until")) == ("1", "true", "")
    form.refuse(Refused(422, "VALIDATION_FAILED", "too much", {"lines.0.quantity": "at most 5"}))
    assert (form.error("lines.0.quantity"), form.problem) == ("at most 5", "")
    form.refuse(Refused(409, "CONFLICT", "somebody was quicker"))
    assert form.problem == ""
    ticked = Form(values={"roles": "picker", "domains": "farm"}, many={"roles": ["keeper", "picker"]})
    ticked.refuse(
        Refused(422, "VALIDATION_FAILED", "wrong", {"roles.1": "is no role", "domains.0.name": "is no domain"})
    )
    assert (ticked.errors, ticked.problem) == ({"roles": "is no role", "domains": "is no domain"}, "")
    elsewhere = Form.of({"name": "Hotel"})
    elsewhere.refuse(Refused(422, "VALIDATION_FAILED", "a warehouse is missing", {"warehouse_id": "missing"}))
    assert elsewhere.problem == "a warehouse is missing"


async def test_requests_that_find_the_sign_in_spent_at_once_renew_it_once(sqlite_platform: Platform) -> None:
    tenant = sqlite_platform.tenant
    async with sqlite_platform.client() as browser:
        said = {"login": tenant.username, "password": PASSWORD, "next": "/console"}
        here = {"Sec-Fetch-Site": "same-origin"}
        assert (await browser.post("/console/sign-in", data=said, headers=here)).status_code == 303
        before = browser.cookies["coldfleet_again"]
        clock.use(lambda: clock.machine_now() + timedelta(hours=2))
        try:
            answers = await asyncio.gather(*(browser.get("/console/renew") for _ in range(4)))
        finally:
            clock.use(None)
        assert [answer.status_code for answer in answers] == [204] * 4
        assert len({answer.cookies["coldfleet_again"] for answer in answers}) == 1
        assert browser.cookies["coldfleet_again"] != before
