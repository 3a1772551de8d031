"""Words by kind, channel and language: the built-in ones, and what an organisation says instead."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_api.notifications import templates
from cloud_api.notifications.segments import segments
from cloud_api.notifications.wording import KINDS, TemplateChannel, Words
from tests.factories.farms import make_farm, make_person
from tests.factories.grounds import IN_ONE_LOOP
from tests.platform_under_test import Platform, Tenant

pytestmark = IN_ONE_LOOP

TEMPLATES = "/api/v1/notifications/templates"
BUILT_IN = [
    pytest.param(key, channel, language, id=f"{key}-{channel}-{language}")
    for key, kind in KINDS.items()
    for channel, language in kind.words
]


async def put(person: Tenant, key: str = "order.packed", **body: Any) -> Any:
    words = {"locale": "en", "channel": "sms", "body": "{{ order }}", **body}
    return await person.client.put(f"{TEMPLATES}/{key}", json=words)


async def say(farm: Platform, key: str, locale: str, channel: TemplateChannel = "sms") -> templates.Rendered:
    async with farm.database.unit_of_work(farm.tenant.organization, read_only=True) as db:
        return await templates.render(db, key, locale, channel, KINDS[key].values)


@pytest.mark.parametrize(("key", "channel", "language"), BUILT_IN)
async def test_built_in_words_can_be_sent(key: str, channel: TemplateChannel, language: str) -> None:
    kind = KINDS[key]
    words = kind.words[channel, language]
    templates.check(kind, channel, words)
    said = templates.said(words, channel, language, kind.values)
    assert all(value in f"{said.subject} {said.body}" for name, value in kind.values.items() if name in kind.needed)
    assert (said.subject == "") == (channel == "sms")
    assert "{" not in said.subject + said.body
    spoken = any("\u0900" <= letter <= "\u097f" for letter in said.subject + said.body)
    assert spoken == (language == "hi")


async def test_each_kind_is_said_in_each_language_on_each_of_its_channels() -> None:
    for kind in KINDS.values():
        assert set(kind.words) == {(channel, language) for channel in kind.channels for language in ("en", "hi")}


@given(st.sampled_from(sorted(KINDS)), st.sampled_from(["en", "hi"]), st.data())
async def test_whatever_people_are_called_an_sms_is_no_longer_than_two(
    key: str, language: str, data: st.DataObject
) -> None:
    kind = KINDS[key]
    for channel in kind.channels:
        values = {name: data.draw(st.text(max_size=200), label=name) for name in kind.values}
        said = templates.said(kind.words[channel, language], channel, language, values)
        assert channel != "sms" or segments(said.body) <= templates.MOST_SEGMENTS
        assert "\n" not in said.subject


async def test_a_link_and_a_code_are_whole_or_not_there_at_all() -> None:
    long = {**KINDS["stop.next"].values, "company": "Very " * 60, "name": "Asha " * 40}
    said = templates.said(KINDS["stop.next"].words["sms", "en"], "sms", "en", long)
    assert said.body.endswith(long["link"])
    assert segments(said.body) <= 2
    far = {**KINDS["stop.next"].values, "link": f"https://{'x' * 90}.example/t/1"}
    said = templates.said(KINDS["stop.next"].words["sms", "hi"], "sms", "hi", far)
    assert ("https" in said.body, far["order"] in said.body, segments(said.body)) == (False, True, 1)


async def test_who_reads_hindi_is_written_to_in_hindi_and_others_in_english(farm: Platform) -> None:
    assert (await say(farm, "order.packed", "hi-IN")).locale == "hi"
    assert (await say(farm, "order.packed", "hi-Latn-IN")).locale == "hi"
    assert (await say(farm, "order.packed", "mr-IN")).locale == "en"
    assert (await say(farm, "order.packed", "")).locale == "en"
    await farm.tenant.put("/api/v1/admin/settings/locale", {"value": "hi-IN"})
    assert (await say(farm, "order.packed", "")).locale == "hi"


async def test_own_words_come_before_the_built_in_ones_of_their_language_only(farm: Platform) -> None:
    assert (await put(farm.tenant, body="Packed: {{ order }}")).status_code == 200
    assert (await put(farm.tenant, locale="hi-IN", body="{{ order }} तैयार")).status_code == 200
    assert (await say(farm, "order.packed", "en-GB")).body == "Packed: ORD-2026-00042"
    assert (await say(farm, "order.packed", "hi-IN")).body == "ORD-2026-00042 तैयार"
    assert "पैक" in (await say(farm, "order.packed", "hi")).body
    assert (await say(farm, "order.packed", "en", "mail")).body.startswith("Your order ORD-2026-00042 is packed")


async def test_own_words_are_changed_and_taken_back(farm: Platform) -> None:
    for body in ("One {{ order }}", "Two {{ order }}"):
        answer = await put(farm.tenant, body=body)
        assert (answer.json()["data"]["body"], answer.json()["data"]["is_own"]) == (body, True)
    mine = [row for row in await farm.tenant.get(TEMPLATES) if row["is_own"]]
    assert [(row["key"], row["channel"], row["locale"], row["body"], row["segments"]) for row in mine] == [
        ("order.packed", "sms", "en", "Two {{ order }}", 1)
    ]
    back = (await put(farm.tenant, body=None)).json()["data"]
    assert (back["is_own"], "is packed" in back["body"]) == (False, True)
    assert (await put(farm.tenant, body=None)).status_code == 200
    assert (await put(farm.tenant, locale="mr", body=None)).status_code == 404


async def test_the_list_names_what_may_stand_in_each(farm: Platform) -> None:
    rows = await farm.tenant.get(TEMPLATES)
    assert {row["key"] for row in rows} == set(KINDS)
    [otp] = [row for row in rows if (row["key"], row["channel"], row["locale"]) == ("delivery.otp", "sms", "hi")]
    assert otp["values"]["code"] == "493817"
    assert 1 <= otp["segments"] <= 2


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("{{ order }} for {{ custmer }}", "nobody knows custmer; there are company, day"),
        ("{{ order", "line 1"),
        ("line\n{% if order %}", "line 2"),
        ("{% for one in order %}x{% endfor %}", "for is not possible"),
        ("{{ 'x' * 1000000000 }}", "mul is not possible"),
        ("{{ order.__class__ }}", "getattr is not possible"),
        ("{{ order() }}", "call is not possible"),
        ("{% set order = 1 %}", "is not possible"),
        ("{% include 'x' %}", "is not possible"),
        ("{{ order | center(1000000) }}", "there are the filters"),
        ("{{ order | tojson }}", "there are the filters"),
        ("{% if order < 5 %}x{% endif %}", "cannot be rendered"),
        ("{{ " + "(" * 900 + "order" + ")" * 900 + " }}", "too deeply"),
        ("{{ order }} " + "and so on " * 40, "shorten it"),
    ],
)
async def test_words_that_cannot_be_sent_are_refused_and_say_why(body: str, why: str) -> None:
    with pytest.raises(templates.TemplateRefused) as refusal:
        templates.check(KINDS["order.packed"], "sms", Words(body))
    assert why in refusal.value.message
    assert refusal.value.details[0].field == "body"


async def test_what_does_not_fit_its_kind_is_refused(farm: Platform) -> None:
    wrong: list[tuple[str, dict[str, str], tuple[int, str]]] = [
        ("order.packed", {"body": "{{ custmer }}"}, (422, "TEMPLATE_REFUSED")),
        ("order.packed", {"subject": "Packed"}, (422, "TEMPLATE_REFUSED")),
        ("order.packed", {"channel": "mail"}, (422, "TEMPLATE_REFUSED")),
        ("order.packed", {"channel": "push", "subject": "x"}, (422, "TEMPLATE_REFUSED")),
        ("delivery.otp", {"body": "Your order {{ order }} has a code"}, (422, "TEMPLATE_REFUSED")),
        ("order.eaten", {}, (404, "UNKNOWN_TEMPLATE")),
        ("order.packed", {"locale": "Hindi!"}, (422, "VALIDATION_FAILED")),
    ]
    for key, words, expected in wrong:
        answer = await put(farm.tenant, key, **words)
        assert (answer.status_code, answer.json()["error"]["code"]) == expected, words
    assert not any(row["is_own"] for row in await farm.tenant.get(TEMPLATES))


async def test_a_value_that_nobody_gave_is_an_error_and_no_gap(farm: Platform) -> None:
    async with farm.database.unit_of_work(farm.tenant.organization, read_only=True) as db:
        with pytest.raises(ValueError, match="needs the values company, day"):
            await templates.render(db, "order.packed", "en", "sms", {"order": "1"})
        with pytest.raises(ValueError, match="does not go out by push"):
            await templates.render(db, "order.packed", "en", "push", KINDS["order.packed"].values)


async def test_words_are_their_organisations_own_and_drivers_do_not_write_them(farm: Platform) -> None:
    await put(farm.tenant, body="Ours: {{ order }}")
    stranger = await make_farm(farm)
    assert not any(row["is_own"] for row in await stranger.get(TEMPLATES))
    driver = await make_person(farm, farm.tenant, "delivery_personnel")
    assert (await put(driver)).status_code == 403
