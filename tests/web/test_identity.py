"""The pages about who one is: proving it, another number, a lost phone; and what staff do to an account."""

import re

from wufeng.identity.staff.model import Role
from wufeng.web.paging import Door

from .conftest import Town
from .visitor import Visitor

DOCUMENT = "11010519491231002X"
PHONE, NEW = "+8613911110001", "+8613911110002"
PIN = "190372"


def code_on(text: str, field: str = "code") -> str:
    """The code that a test book shows beside a field."""
    found = re.search(rf'data-fill="{field}" data-value="([0-9]{{6}})"', text)
    assert found is not None, text
    return found[1]


async def test_a_person_proves_who_they_are(town: Town) -> None:
    person = await town.api.new_person()
    visitor = town.visitor(token=person.token)
    page = await visitor.get("/app/identity")
    assert page.status == 200 and "¥1,000.00" in page.text and "¥200,000.00" in page.text
    wrong = await visitor.post("/app/identity", {"name": "张三", "document": "110105194912310021"})
    assert wrong.status == 422 and "mistyped" in wrong.text and "110105194912310021" not in wrong.text
    done = await visitor.post("/app/identity", {"name": "张三", "document": DOCUMENT})
    assert (done.status, done.location) == (303, "/app/identity#attempts")
    page = await visitor.get("/app/identity")
    assert "Confirmed" in page.text and "2 checks outside passed" in page.text and "张*" in page.text
    other = town.visitor(token=(await town.api.new_person()).token)
    await other.post("/app/identity", {"name": "李四", "document": DOCUMENT})
    told = (await other.get("/app/identity")).text
    assert "belongs to another account" in told and "张" not in told


async def test_another_number_by_the_pin(town: Town) -> None:
    person = await town.api.new_person(phone=PHONE)
    visitor = town.visitor(token=person.token)
    assert (await visitor.post("/app/phone/codes", {"phone": "12"})).status == 422
    page = await visitor.post("/app/phone/codes", {"phone": "139 1111 0002"})
    form = {"phone": NEW, "code": code_on(page.text)}
    assert 'name="old_code"' not in page.text
    wrong = await visitor.post("/app/phone", {**form, "pin": "558813"})
    assert wrong.status == 403 and "does not fit" in wrong.text
    done = await visitor.post("/app/phone", {**form, "pin": PIN})
    assert (done.status, done.location) == (303, "/app/identity?changed=1")
    page = await visitor.get(done.location)
    assert "139****0002" in page.text and "Low limits for now" in page.text


async def test_a_lost_phone_without_a_session(town: Town) -> None:
    person = await town.api.new_person(phone=PHONE)
    stranger = Visitor(town.site, "en")
    pages = [await stranger.post("/app/lost/code", {"phone": phone}) for phone in (PHONE, "13911119999")]
    assert [page.status for page in pages] == [200, 200]
    form = {"phone": PHONE, "code": code_on(pages[0].text)}
    assert (await stranger.post("/app/lost", form)).status == 422
    wrong = await stranger.post("/app/lost", {**form, "code": "000000", "pin": PIN})
    assert wrong.status == 403 and "Nothing was stopped" in wrong.text
    done = await stranger.post("/app/lost", {**form, "pin": PIN})
    assert done.status == 200 and "Everything has stopped" in done.text
    assert (await town.visitor(token=person.token).get("/app")).status == 303


async def test_staff_freeze_let_act_again_and_raise_a_tier(town: Town) -> None:
    person = await town.api.new_person()
    supervisor = town.visitor(Door.CONSOLE, await town.api.new_staff(Role.SUPERVISOR))
    operator = town.visitor(Door.CONSOLE, await town.api.new_staff(Role.OPERATOR))
    path = f"/console/people/{person.id}"
    refused = await operator.post(f"{path}/freeze", {"reason": ""})
    assert refused.status == 422 and "Nothing was done" in refused.text
    assert (await operator.post(f"{path}/freeze", {"reason": "suspicion"})).status == 303
    assert (await operator.post(f"{path}/unfreeze", {"reason": "x"})).status == 403
    assert "Let the person act again" in (await supervisor.get(path)).text
    assert "Let the person act again" not in (await operator.get(path)).text
    assert (await supervisor.post(f"{path}/unfreeze", {"reason": "was a mistake"})).status == 303
    assert "Low limits until" in (await supervisor.get(path)).text
    seen = {"tier": "3", "reason": "seen at the counter"}
    nothing = await supervisor.post(f"{path}/tier", seen)
    assert nothing.status == 422 and "No document" in nothing.text
    seen |= {"name": "张三", "document": DOCUMENT, "kind": "resident_id"}
    assert (await supervisor.post(f"{path}/tier", seen)).status == 303
    page = (await supervisor.get(path)).text
    assert "by staff" in page and "tier 3" in page and DOCUMENT not in page


async def test_administrators_give_roles(town: Town) -> None:
    admin = town.visitor(Door.CONSOLE, await town.api.new_staff(Role.ADMIN))
    token = await town.api.new_staff(Role.ANALYST)
    page = await admin.get("/console/staff")
    paths = re.findall(r'action="(/console/staff/stf_[0-9a-z]+/role)"', page.text)
    assert page.status == 200 and paths
    assert (await town.visitor(Door.CONSOLE, token).get("/console/staff")).status == 403
    ids = (await town.api.get("/v1/staff", admin.cookies[Door.CONSOLE.cookie])).json()["data"]
    analyst = next(one["id"] for one in ids if one["role"] == "analyst")
    path = f"/console/staff/{analyst}/role"
    assert (await admin.post(path, {"role": "admin", "reason": ""})).status == 422
    assert (await admin.post(path, {"role": "operator", "reason": "joined the desk"})).status == 303
    assert (await town.visitor(Door.CONSOLE, token).get("/console")).status == 303, "they sign in anew"
