"""Applications that wait for a person, in the console: found, read with all that they were decided from, answered."""

from tests.api.conftest import Person
from tests.api.test_applications import asking, spend

from wufeng.identity.staff.model import Role
from wufeng.web.paging import Door

from .conftest import Town
from .visitor import Visitor


async def waiting(town: Town) -> tuple[Person, str]:
    """Somebody whom the policy leaves to a person, and the application."""
    person, shop = await town.api.new_person(wallet_minor=100_00), await town.api.new_merchant()
    await spend(town.api, person, [shop], 3, 1_00)
    view = (await town.api.post("/v1/applications", person.token, asking())).json()
    assert view["status"] == "referred"
    return person, view["id"]


async def at_desk(town: Town, role: Role = Role.SUPERVISOR, language: str = "en") -> Visitor:
    return town.visitor(Door.CONSOLE, await town.api.new_staff(role), language=language)


async def test_staff_find_read_and_offer(town: Town) -> None:
    desk = await at_desk(town)
    assert "Nothing waits" in (await desk.get("/console/applications")).text
    person, id_ = await waiting(town)
    listed = await desk.get("/console/applications")
    assert f'href="/console/applications/{id_}"' in listed.text and "Monthly bill" in listed.text
    path = f"/console/applications/{id_}"
    page = await desk.get(path)
    for said in ("Waits for a decision", "Payments in 90 days", "3 · ¥3.00", "adverse action", "In all"):
        assert said in page.text, said
    assert f'href="/console/people/{person.id}"' in page.text
    policy = await desk.get("/console/application-policies/application@1")
    assert "in force from" in policy.text and "person_max_minor = 200_000_00" in policy.text
    assert (await desk.get("/console/application-policies/application@99")).status == 404
    answer = {"key": page.field("key"), "answer": "offer"}
    for more, complaint in (
        ({"limit": "x", "reason": "seen"}, "Type an amount"),
        ({"limit": "600", "reason": ""}, "Say why"),
        ({"limit": "1", "reason": "seen"}, "50000"),
    ):
        wrong = await desk.post(f"{path}/decide", {**answer, **more})
        assert (wrong.status, complaint in wrong.text) == (422, True), wrong.text
    for _ in range(2):
        sent = await desk.post(f"{path}/decide", {**answer, "limit": "600.00", "reason": "papers seen"})
        assert (sent.status, sent.location) == (303, path)
    done = await desk.get(path)
    assert "Offered" in done.text and "¥600.00" in done.text and "Your answer" not in done.text
    assert "Grade E gives this price list: Standard" in done.text
    assert "Nothing waits" in (await desk.get("/console/applications")).text
    again = await desk.post(f"{path}/decide", {**answer, "key": "0" * 32, "limit": "700", "reason": "more"})
    assert again.status == 409


async def test_staff_decline_in_chinese_and_only_those_who_decide(town: Town) -> None:
    _, id_ = await waiting(town)
    path = f"/console/applications/{id_}"
    reader = await at_desk(town, Role.ANALYST)
    assert "Supervisors and administrators decide applications." in (await reader.get(path)).text
    assert (await reader.post(f"{path}/decide", {"answer": "decline", "reason": "no"})).status == 403
    desk = await at_desk(town, language="zh")
    page = await desk.get(path)
    assert "待审核" in page.text and "评估依据" in page.text
    sent = await desk.post(
        f"{path}/decide", {"key": page.field("key"), "answer": "decline", "limit": "600", "reason": "不符"}
    )
    assert sent.location == path
    seen = (await town.api.get(f"/v1/applications/{id_}", await town.api.new_staff(Role.ANALYST))).json()
    assert (seen["status"], seen["reasons"][-1]["code"]) == ("declined", "declined_by_staff")


async def test_the_list_by_api_is_for_staff(town: Town) -> None:
    api = town.api
    people = sorted([await waiting(town) for _ in range(3)], key=lambda one: one[1])
    staff = await api.new_staff(Role.ANALYST)
    listed = (await api.get("/v1/applications?status=referred&limit=2", staff)).json()
    assert [one["id"] for one in listed["data"]] == [id_ for _, id_ in people[:2]] and listed["has_more"]
    after = f"/v1/applications?status=referred&starting_after={listed['next']}"
    assert [one["id"] for one in (await api.get(after, staff)).json()["data"]] == [people[2][1]]
    own = await api.get("/v1/applications?status=referred", people[0][0].token)
    assert (own.status_code, own.json()["code"]) == (422, "invalid_field")
    assert (await api.get("/v1/applications?status=offered", staff)).status_code in (400, 422)
