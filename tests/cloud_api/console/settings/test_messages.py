"""What is said to customers and colleagues: in words of one's own, tried before they are said."""

import httpx2

from tests.cloud_api.console.screens import at_console
from tests.cloud_api.console.typed import form_on
from tests.factories.farms import make_person
from tests.platform_under_test import Platform

HERE = "/console/settings/messages"
PACKED = f"{HERE}/order.packed"
SMS = f"{PACKED}?channel=sms&locale=en"
TEMPLATES = "/api/v1/notifications/templates"


def words_on(page: str) -> dict[str, list[str]]:
    """The form of the words; the one that asks for another language stands at the same address."""
    return {name: values[:1] for name, values in form_on(page, PACKED).items()}


async def own(platform: Platform) -> list[tuple[str, str, str]]:
    return [
        (one["channel"], one["locale"], one["body"]) for one in await platform.tenant.get(TEMPLATES) if one["is_own"]
    ]


async def test_words_are_tried_saved_and_taken_back(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    assert "The order is packed" in (await console.get(HERE)).text
    page = (await console.get(SMS)).text
    assert "{{ window_from }}" in page
    assert "your order ORD-2026-00042 is packed" in page, "as it reads"
    sent = words_on(page)
    tried = await console.post(f"{PACKED}/preview", data={**sent, "body": "Ready: {{ order }}"})
    assert "Ready: ORD-2026-00042" in tried.text
    assert "1 SMS" in tried.text
    assert await own(sqlite_platform) == [], "nothing is kept of what is tried"
    wrong = await console.post(f"{PACKED}/preview", data={**sent, "body": "Ready: {{ ordr }}"})
    assert wrong.status_code == 422
    assert 'id="e-body"' in wrong.text
    assert "Ready: {{ ordr }}</textarea>" in wrong.text
    assert (await console.post(PACKED, data={**sent, "body": ""})).status_code == 422
    saved = await console.post(PACKED, data={**words_on(tried.text), "body": "Ready: {{ order }}"})
    assert saved.status_code == 303, saved.text
    assert await own(sqlite_platform) == [("sms", "en", "Ready: {{ order }}")]
    assert "your words" in (await console.get(HERE)).text
    assert "They are gone then" in (await console.get(SMS)).text
    await console.post(f"{PACKED}/back", data={"channel": "sms", "locale": "en"})
    assert await own(sqlite_platform) == []


async def test_another_language_begins_with_the_english_words(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    page = (await console.get(f"{PACKED}?channel=mail&locale=kn-IN")).text
    assert "not said in this language yet" in page
    sent = words_on(page)
    assert sent["subject"] == ["Your order {{ order }} is packed"]
    await console.post(PACKED, data={**sent, "body": "{{ order }} ಸಿದ್ಧ"})
    assert await own(sqlite_platform) == [("mail", "kn-IN", "{{ order }} ಸಿದ್ಧ")]
    assert (await console.get(f"{PACKED}?channel=mail&locale=%3Cb%3E")).status_code == 422
    assert (await console.get(f"{HERE}/no.such")).status_code == 404


async def test_who_was_quicker_is_shown(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    sent = words_on((await console.get(SMS)).text)
    theirs = {"channel": "sms", "locale": "en", "body": "Theirs {{ order }}"}
    await sqlite_platform.tenant.put(f"{TEMPLATES}/order.packed", theirs)
    stale = await console.post(PACKED, data={**sent, "body": "Ours {{ order }}"})
    assert stale.status_code == 409
    assert "<td>Theirs {{ order }}</td>" in stale.text
    again = await console.post(PACKED, data=words_on(stale.text))
    assert again.status_code == 303, again.text
    assert await own(sqlite_platform) == [("sms", "en", "Ours {{ order }}")]


async def test_who_tells_nobody_has_no_such_page(sqlite_platform: Platform) -> None:
    staff = await make_person(sqlite_platform, sqlite_platform.tenant, "inventory_staff")
    async with at_console(sqlite_platform, staff) as client:
        assert (await client.get(HERE)).status_code == 403
        assert (await client.post(f"{PACKED}/preview", data={"channel": "sms", "body": "x"})).status_code == 403
