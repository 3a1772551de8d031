"""What went wrong, who is on it, and what was decided."""

import csv
import zipfile
from io import BytesIO
from typing import Any

import httpx2

from tests.cloud_api.cold_chain.excursions import break_the_limit, judge_at_once, mend
from tests.cloud_api.console.screens import at_console
from tests.factories.farms import make_person
from tests.factories.stores import ColdStore, make_cold_store, receive
from tests.platform_under_test import Platform

EXCURSIONS = "/console/excursions"
ALERTS = f"{EXCURSIONS}/alerts"


async def make_breach(platform: Platform, **rule: Any) -> tuple[ColdStore, Any]:
    """A store with goods that has become too warm, and its excursion."""
    store = await make_cold_store(platform)
    await judge_at_once(store, **rule)
    await receive(store, lot="LOT-77")
    return store, await break_the_limit(platform, store)


async def known(store: ColdStore, excursion: Any) -> Any:
    return await store.tenant.get(f"/api/v1/excursions/{excursion['id']}")


async def test_nothing_has_happened_yet(console: httpx2.AsyncClient) -> None:
    assert "No excursion so far" in (await console.get(EXCURSIONS)).text
    assert "Nothing waits for anybody" in (await console.get(ALERTS)).text
    assert "No excursion is like this" in (await console.get(EXCURSIONS, params={"status": "open"})).text


async def test_excursions_are_listed_and_filtered(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    store, excursion = await make_breach(sqlite_platform)
    page = (await console.get(EXCURSIONS)).text
    for said in (excursion["number"], "Temperature above 8 °C", "9.0 °C", 'data-state="open"', 'data-state="critical"'):
        assert said in page
    address = f"{EXCURSIONS}?status=open&location_id={store.room_id}"
    filtered = (await console.get(address)).text
    assert excursion["number"] in filtered
    assert f'hx-get="{address.replace("&", "&amp;")}"' in filtered, "read again with its filters"
    assert excursion["number"] not in (await console.get(EXCURSIONS, params={"status": "closed"})).text


async def test_an_excursion_shows_what_happened_and_what_is_held(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    _, excursion = await make_breach(sqlite_platform)
    page = (await console.get(f"{EXCURSIONS}/{excursion['id']}")).text
    for said in ("Temperature above 8 °C", "First reading beyond the limit", "LOT-77", "Spinach", "100 kg", "z2m:cold"):
        assert said in page
    chart = (await console.get(f"{EXCURSIONS}/{excursion['id']}/chart.json")).json()
    assert chart["limits"] == [8.0]
    assert [one["name"] for one in chart["excursions"]] == [excursion["number"]]


async def test_who_acknowledges_says_what_they_do(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    store, excursion = await make_breach(sqlite_platform)
    path = f"{EXCURSIONS}/{excursion['id']}"
    answer = await console.post(f"{path}/ack", data={"note": "  "})
    assert answer.status_code == 422
    assert 'id="e-note">Say what you do about it' in answer.text
    answer = await console.post(f"{path}/ack", data={"note": "x" * 2001})
    assert answer.status_code == 422
    assert "x" * 2001 in answer.text, "what was typed is kept"
    assert (await known(store, excursion))["status"] == "open"
    answer = await console.post(f"{path}/ack", data={"note": "The door stood open: closed it"})
    assert (answer.status_code, answer.headers["location"]) == (303, path)
    after = await known(store, excursion)
    assert (after["status"], after["acknowledgement"]) == ("acknowledged", "The door stood open: closed it")
    assert "The door stood open: closed it" in (await console.get(path)).text


async def test_a_second_answer_hears_that_there_was_a_first(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    store, excursion = await make_breach(sqlite_platform)
    await store.tenant.post(f"/api/v1/excursions/{excursion['id']}/ack", {"note": "mine"})
    answer = await console.post(f"{EXCURSIONS}/{excursion['id']}/ack", data={"note": "mine too"})
    assert answer.status_code == 409
    assert "possible now" in answer.text


async def test_closing_needs_a_decision_and_a_reason(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    store, excursion = await make_breach(sqlite_platform)
    path = f"{EXCURSIONS}/{excursion['id']}"
    assert "/close" not in (await console.get(path)).text, "not before somebody is on it"
    await mend(sqlite_platform, store)
    assert "data-confirm" in (await console.get(path)).text
    answer = await console.post(f"{path}/close", data={"disposition": "waste", "note": ""})
    assert answer.status_code == 422
    assert 'id="e-note"' in answer.text
    assert '<option value="waste" selected>' in answer.text, "what was chosen is kept"
    answer = await console.post(f"{path}/close", data={"disposition": "release", "note": "cores measured: 4 °C"})
    assert answer.status_code == 303
    after = await known(store, excursion)
    assert (after["status"], after["disposition"], after["note"]) == ("closed", "release", "cores measured: 4 °C")
    page = (await console.get(path)).text
    assert "Release" in page
    assert "/close" not in page


async def test_what_was_done_is_written_down(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    _, excursion = await make_breach(sqlite_platform)
    path = f"{EXCURSIONS}/{excursion['id']}"
    answer = await console.post(f"{path}/actions", data={"description": ""})
    assert answer.status_code == 422
    assert 'id="e-description"' in answer.text
    await console.post(f"{path}/actions", data={"description": "Called the electrician"})
    page = (await console.get(path)).text
    assert "Corrective action" in page
    assert "Called the electrician" in page


async def test_a_latch_is_taken_off(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    store, excursion = await make_breach(sqlite_platform, latched=True)
    path = f"{EXCURSIONS}/{excursion['id']}"
    assert "Take the latch off" in (await console.get(path)).text
    assert (await console.post(f"{path}/reset")).status_code == 303
    assert (await known(store, excursion))["reset_at"] is not None
    assert "Take the latch off" not in (await console.get(path)).text


async def test_the_evidence_is_handed_out(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    _, excursion = await make_breach(sqlite_platform)
    report = await console.get(f"{EXCURSIONS}/{excursion['id']}/evidence.pdf")
    assert report.content.startswith(b"%PDF")
    assert excursion["number"] in report.headers["content-disposition"]
    signed = await console.get(f"{EXCURSIONS}/{excursion['id']}/evidence.zip")
    with zipfile.ZipFile(BytesIO(signed.content)) as packed:
        assert {"report.pdf", "manifest.json"} <= set(packed.namelist())


async def test_who_may_only_look_is_offered_no_answer(sqlite_platform: Platform) -> None:
    store, excursion = await make_breach(sqlite_platform)
    viewer = await make_person(sqlite_platform, sqlite_platform.tenant, "viewer")
    path = f"{EXCURSIONS}/{excursion['id']}"
    async with at_console(sqlite_platform, viewer) as console:
        page = (await console.get(path)).text
        assert excursion["number"] in page
        assert "<form" not in page.split('id="content"')[1]
        refused = await console.post(f"{path}/close", data={"disposition": "release", "note": "mine"})
        assert refused.status_code == 403
    assert (await known(store, excursion))["status"] == "open"


async def test_who_may_not_see_alerts_sees_none(sqlite_platform: Platform) -> None:
    supplier = await make_person(sqlite_platform, sqlite_platform.tenant, "supplier_manager")
    async with at_console(sqlite_platform, supplier) as console:
        for path in (EXCURSIONS, ALERTS):
            assert (await console.get(path)).status_code == 403


async def the_alert(store: ColdStore) -> Any:
    [alert] = await store.tenant.get("/api/v1/alerts", status=["open", "snoozed", "acknowledged", "resolved"])
    return await store.tenant.get(f"/api/v1/alerts/{alert['id']}")


async def test_alerts_are_listed_by_severity_and_lead_to_their_excursion(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    store, excursion = await make_breach(sqlite_platform)
    alert = await the_alert(store)
    assert alert["title"] in (await console.get(ALERTS, params={"severity": "critical"})).text
    assert "No alert is like this" in (await console.get(ALERTS, params={"severity": "info"})).text
    page = (await console.get(f"{ALERTS}/{alert['id']}")).text
    assert f'href="{EXCURSIONS}/{excursion["id"]}"' in page
    assert "Who is told" in page
    assert "Alert raised" in page


async def test_a_critical_alert_is_not_answered_without_a_word(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    store, _ = await make_breach(sqlite_platform)
    path = f"{ALERTS}/{(await the_alert(store))['id']}"
    answer = await console.post(f"{path}/ack", data={"comment": ""})
    assert answer.status_code == 422
    assert 'id="e-comment"' in answer.text
    assert (await console.post(f"{path}/ack", data={"comment": "on my way"})).status_code == 303
    assert (await the_alert(store))["status"] == "acknowledged"


async def test_a_breach_is_escalated_from_its_page_and_from_the_alerts(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    store, excursion = await make_breach(sqlite_platform)
    alert_path = f"{ALERTS}/{(await the_alert(store))['id']}"
    for path, name in ((f"{EXCURSIONS}/{excursion['id']}", "reason"), (alert_path, "why")):
        assert f'action="{path}/escalate"' in (await console.get(path)).text
        answer = await console.post(f"{path}/escalate", data={name: ""})
        assert answer.status_code == 422
        assert f'id="e-{name}"' in answer.text
        answer = await console.post(f"{path}/escalate", data={name: f"Both fans stand still ({name})"})
        assert (answer.status_code, answer.headers["location"]) == (303, path)
        page = (await console.get(path)).text
        assert "Escalated by hand" in page
        assert f"Both fans stand still ({name})" in page
    kinds = [line["kind"] for line in (await the_alert(store))["timeline"]]
    assert kinds.count("escalated") == 2


async def test_what_is_over_is_offered_no_escalation(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    store, excursion = await make_breach(sqlite_platform)
    await mend(sqlite_platform, store)
    path = f"{EXCURSIONS}/{excursion['id']}"
    assert "/escalate" not in (await console.get(path)).text
    assert (await console.post(f"{path}/escalate", data={"reason": "too late"})).status_code == 409


async def test_excursions_and_alerts_are_kept_as_tables(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    _, excursion = await make_breach(sqlite_platform)
    for path, ended in ((EXCURSIONS, "closed"), (ALERTS, "resolved")):
        filtered = (await console.get(path, params={"status": "open"})).text
        assert f'href="{path}/export?status=open&amp;format=xlsx"' in filtered
        [head, row] = csv.reader((await console.get(f"{path}/export")).text.lstrip("\ufeff").splitlines())
        assert len(head) == len(row)
        assert "Critical" in row
        empty = await console.get(f"{path}/export", params={"status": ended})
        assert len(empty.text.splitlines()) == 1
        sheet = await console.get(f"{path}/export", params={"format": "xlsx"})
        assert sheet.content.startswith(b"PK")
    [_, row] = csv.reader((await console.get(f"{EXCURSIONS}/export")).text.lstrip("\ufeff").splitlines())
    assert (row[0], row[4:7]) == (excursion["number"], ["Temperature above 8 °C", "9.0", "°C"])


async def test_an_alert_is_put_off_noted_and_resolved(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    store, _ = await make_breach(sqlite_platform)
    path = f"{ALERTS}/{(await the_alert(store))['id']}"
    assert (await console.post(f"{path}/snooze", data={"minutes": "60"})).status_code == 303
    assert (await the_alert(store))["status"] == "snoozed"
    assert (await console.post(f"{path}/notes", data={"note": ""})).status_code == 422
    assert (await console.post(f"{path}/notes", data={"note": "spare fan ordered"})).status_code == 303
    answer = await console.post(f"{path}/resolve", data={"reason": ""})
    assert answer.status_code == 422
    assert 'id="e-reason"' in answer.text
    assert (await console.post(f"{path}/resolve", data={"reason": "sensor fell off"})).status_code == 303
    page = (await console.get(path)).text
    for said in ("Put off", "spare fan ordered", "sensor fell off", 'data-state="resolved"'):
        assert said in page
