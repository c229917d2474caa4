"""Credit over HTTP: lines, bills, plans, repayments; whose they are, and who may do what."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.cases import cases

from wufeng.identity.staff.model import Role

from .conftest import Api, Person


async def turn_to(api: Api, month: int, day: int) -> None:
    """Turn the clock to noon of a date of 2026 and close the days before it."""
    api.clock.turn_to(datetime(2026, month, day, 4, 0, tzinfo=UTC))
    await api.app.close_days(api.book)


async def test_h1_over_http(api: Api) -> None:
    person, shop = await api.new_person(line_minor=500_000, wallet_minor=200_000), await api.new_merchant()
    assert (await api.pay(person, shop, 100_000)).status_code == 201
    await turn_to(api, 10, 10)
    half = await api.post("/v1/repayments", person.token, {"line": person.line, "amount_minor": 50_000})
    assert half.status_code == 201, half.text
    await turn_to(api, 10, 15)
    line = (await api.get(f"/v1/lines/{person.line}", person.token)).json()
    assert (line["billed_minor"], line["accrued_minor"], line["minimum_minor"]) == (50_000, 125, 0)
    rest = (
        await api.post("/v1/repayments", person.token, {"line": person.line, "amount_minor": "all"})
    ).json()
    assert (rest["amount_minor"], rest["status"]) == (50_125, "posted")
    (bill,) = (await api.get(f"/v1/bills?line={person.line}", person.token)).json()["data"]
    assert bill["parts"][-1]["kind"] == "late_interest"
    assert bill["parts"][-1]["amount_minor"] == 125
    english = await api.get(f"/v1/bills/{bill['id']}", person.token, headers={"Accept-Language": "en"})
    assert english.json()["parts"][0]["explain"] == "One purchase"
    table = await api.get(f"/v1/bills/{bill['id']}", person.token, headers={"Accept": "text/csv"})
    assert table.headers["content-type"].startswith("text/csv")
    assert table.text.splitlines()[1].endswith(",1,1,100000,0,CNY")
    assert table.text.splitlines()[-1].startswith(f"{bill['id']},total,,,{bill['total_minor']},")
    paper = await api.get(f"/v1/bills/{bill['id']}", person.token, headers={"Accept": "application/pdf"})
    assert paper.headers["content-type"] == "application/pdf" and paper.content.startswith(b"%PDF-")
    why = (await api.get(f"/v1/bills/{bill['id']}/explain", person.token)).json()
    assert why["amounts"][0]["sentence"] == "账单总额 1,001.25 = 消费 1,000.00 + 本账单自身的利息 1.25"
    assert why["amounts"][0]["steps"][-1]["steps"][0]["days"] == 5
    went = (await api.get(f"/v1/repayments/{rest['id']}/explain", person.token)).json()
    assert [step["amount_minor"] for step in went["amounts"][0]["steps"]] == [50_000, 125]
    read = await api.get(f"/v1/repayments/{rest['id']}", person.token)
    assert read.json() == rest
    journals = await api.get(f"/v1/journals?of={rest['id']}", person.token)
    assert [one["kind"] for one in journals.json()["data"]] == ["charges_billed", "repayment"]


async def test_a_plan_says_how_each_instalment_came_about(api: Api) -> None:
    person, shop = await api.new_person(line_minor=500_000), await api.new_merchant()
    paid = await api.pay(person, shop, 129_900, funding=[{"line": person.line, "tenor": 3}])
    plan = paid.json()["funding"][0]["draw"].replace("drw_", "pln_")
    shown = (await api.get(f"/v1/plans/{plan}", person.token)).json()
    why = (await api.get(f"/v1/plans/{plan}/explain", person.token)).json()
    assert (why["id"], why["object"]) == (plan, "explanation")
    *parts, cost = why["amounts"]
    assert [one["amount_minor"] for one in parts] == [one["amount_minor"] for one in shown["instalments"]]
    assert cost["amount_minor"] == shown["total_cost_minor"] == 3_248
    assert "32.48 − 其他 2 期 × 10.83 = 10.82，尾差归最后一期" in parts[2]["steps"][1]["sentence"]
    english = await api.get(f"/v1/plans/{plan}/explain", person.token, headers={"Accept-Language": "en"})
    assert "principal 1,299.00 × 2.5% = 32.475" in english.json()["amounts"][0]["steps"][1]["sentence"]
    whole = await api.pay(person, shop, 20_000, funding=[{"line": person.line}])
    single = whole.json()["funding"][0]["draw"].replace("drw_", "pln_")
    assert (await api.get(f"/v1/plans/{single}/explain", person.token)).status_code == 404


async def test_staff_open_a_line_with_a_reason(api: Api) -> None:
    person, staff = await api.new_person(), await api.new_staff(Role.SUPERVISOR)
    body: dict[str, Any] = {
        "person": person.id,
        "product": "monthly_bill",
        "limit_minor": 300_000,
        "reason": "invited",
    }
    assert (await api.post("/v1/lines", staff, body, key=None)).json()["code"] == "idempotency_key_missing"
    without = {name: value for name, value in body.items() if name != "reason"}
    assert (await api.post("/v1/lines", staff, without)).json()["errors"][0]["pointer"] == "/reason"
    opened = await api.post("/v1/lines", staff, body, key="open")
    assert opened.status_code == 201, opened.text
    again = await api.post("/v1/lines", staff, body, key="open")
    assert again.content == opened.content
    (line,) = (await api.get("/v1/lines", person.token)).json()["data"]
    assert line["id"] == opened.json()["id"]
    assert (await api.get(f"/v1/lines?person={person.id}", staff)).json()["data"] == [line]
    assert (await api.get("/v1/lines", staff)).status_code == 422
    assert (await api.post("/v1/lines", person.token, body)).status_code == 403
    assert (await api.post("/v1/lines", await api.new_staff(Role.OPERATOR), body)).status_code == 403


async def test_a_person_lowers_freezes_and_moves_the_due_day(api: Api) -> None:
    person = await api.new_person(line_minor=500_000)
    path = f"/v1/lines/{person.line}"
    lowered = await api.post(f"{path}/limit", person.token, {"limit_minor": 100_000})
    assert (lowered.status_code, lowered.json()["limit_minor"]) == (200, 100_000)
    raised = await api.post(f"{path}/limit", person.token, {"limit_minor": 100_001})
    assert (raised.status_code, raised.json()["errors"][0]["pointer"]) == (422, "/limit_minor")
    moved = await api.post(f"{path}/due_day", person.token, {"due_day": 20})
    assert moved.json()["due_day"] == 20
    assert (await api.post(f"{path}/freeze", person.token)).json()["status"] == "frozen"
    assert (await api.post(f"{path}/unfreeze", person.token)).status_code == 403
    staff = await api.new_staff(Role.SUPERVISOR)
    assert (await api.post(f"{path}/unfreeze", staff)).json()["errors"][0]["pointer"] == "/reason"
    assert (await api.post(f"{path}/unfreeze", staff, {"reason": "found"})).json()["status"] == "open"
    assert (await api.post(f"{path}/close", person.token)).json()["status"] == "closed"
    assert (await api.post(f"{path}/close", person.token)).status_code == 409


async def owner_of_everything(api: Api) -> tuple[Person, list[str]]:
    """A person with a line, a bill, a plan and a repayment; and the addresses of all of them."""
    person, shop = await api.new_person(line_minor=500_000, wallet_minor=200_000), await api.new_merchant()
    paid = await api.pay(person, shop, 90_000, funding=[{"line": person.line, "tenor": 3}])
    draw = paid.json()["funding"][0]["draw"]
    await turn_to(api, 10, 2)
    repaid = await api.post("/v1/repayments", person.token, {"line": person.line, "amount_minor": 1_000})
    (bill,) = (await api.get(f"/v1/bills?line={person.line}", person.token)).json()["data"]
    return person, [
        f"/v1/lines/{person.line}",
        f"/v1/lines/{person.line}/draws",
        f"/v1/lines/{person.line}/history",
        f"/v1/bills?line={person.line}",
        f"/v1/bills/{bill['id']}",
        f"/v1/bills/{bill['id']}/explain",
        f"/v1/plans/{draw.replace('drw_', 'pln_')}",
        f"/v1/plans/{draw.replace('drw_', 'pln_')}/explain",
        f"/v1/repayments/{repaid.json()['id']}",
        f"/v1/repayments/{repaid.json()['id']}/explain",
    ]


async def test_anothers_are_as_if_they_were_not(api: Api) -> None:
    person, addresses = await owner_of_everything(api)
    other = await api.new_person(line_minor=500_000)
    for address in addresses:
        assert (await api.get(address, person.token)).status_code == 200, address
        assert (await api.get(address, other.token)).status_code == 404, address
    for call in ("limit", "freeze", "due_day", "close"):
        body = {"limit": {"limit_minor": 1}, "due_day": {"due_day": 8}}.get(call, {})
        answer = await api.post(f"/v1/lines/{person.line}/{call}", other.token, body)
        assert answer.status_code == 404, call
    theirs = await api.post("/v1/repayments", other.token, {"line": person.line, "amount_minor": 1})
    assert (theirs.status_code, theirs.json()["errors"][0]["pointer"]) == (422, "/line")
    assert (await api.get("/v1/lines", other.token)).json()["data"][0]["id"] == other.line
    assert (await api.get(f"/v1/lines?person={person.id}", other.token)).status_code == 404


async def test_a_plan_month_by_month(api: Api) -> None:
    person, addresses = await owner_of_everything(api)
    address = next(address for address in addresses if "/plans/" in address)
    plan = (await api.get(address, person.token)).json()
    assert (plan["tenor"], plan["total_cost_minor"], plan["amount_minor"]) == (3, 2_250, 90_000)
    assert [(one["status"], one["amount_minor"], one["due_on"]) for one in plan["instalments"]] == [
        ("billed", 30_750, "2026-10-10"),
        ("future", 30_750, "2026-11-10"),
        ("future", 30_750, "2026-12-10"),
    ]
    settled = await api.post(
        "/v1/repayments", person.token, {"line": person.line, "amount_minor": "all", "plan": plan["id"]}
    )
    assert (settled.json()["amount_minor"], settled.json()["saved_minor"]) == (60_000, 1_500)
    plan = (await api.get(address, person.token)).json()
    assert [one["status"] for one in plan["instalments"]] == ["billed", "paid", "paid"]


@cases(
    ("body", "pointer"),
    [
        ({}, "/amount_minor"),
        ({"amount_minor": 0}, "/amount_minor"),
        ({"amount_minor": "half"}, "/amount_minor"),
        ({"amount_minor": 1.5}, "/amount_minor"),
        ({"amount_minor": 1, "source": "external"}, "/source"),
        ({"amount_minor": 1, "source": "pay_01h455vb4pex5vsknk084sn02q"}, "/source"),
        ({"amount_minor": 1, "source": "wal_01h455vb4pex5vsknk084sn02q"}, "/source"),
        ({"amount_minor": 1, "source": "bka_01h455vb4pex5vsknk084sn02q"}, "/source"),
        ({"amount_minor": 1, "value_on": "2026-09-03"}, "/value_on"),
        ({"amount_minor": 1, "plan": "pln_01h455vb4pex5vsknk084sn02q"}, "/plan"),
        ({"amount_minor": "billed", "plan": "pln_01h455vb4pex5vsknk084sn02q"}, "/amount_minor"),
        ({"plan": "pln_01h455vb4pex5vsknk084sn02q"}, "/plan"),
        ({"amount_minor": 1, "more": 1}, "/more"),
    ],
)
async def test_repayments_that_cannot_be(api: Api, body: dict[str, Any], pointer: str) -> None:
    person = await api.new_person(line_minor=500_000, wallet_minor=1_000)
    answer = await api.post("/v1/repayments", person.token, {"line": person.line, **body})
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["pointer"] == pointer


async def test_the_operator_relays_money_dates_it_back_and_takes_it_back(api: Api) -> None:
    person, shop = await api.new_person(line_minor=500_000), await api.new_merchant()
    await api.pay(person, shop, 100_000)
    await turn_to(api, 10, 12)
    assert (await api.get(f"/v1/lines/{person.line}", person.token)).json()["status"] == "suspended"
    own = {"line": person.line, "amount_minor": "all", "source": person.wallet}
    assert (await api.post("/v1/repayments", api.platform, own)).json()["errors"][0]["pointer"] == "/source"
    body = {"line": person.line, "amount_minor": 100_000, "source": "external", "value_on": "2026-10-10"}
    relayed = await api.post("/v1/repayments", api.platform, body)
    assert relayed.status_code == 201, relayed.text
    line = (await api.get(f"/v1/lines/{person.line}", person.token)).json()
    assert (line["status"], line["billed_minor"], line["accrued_minor"]) == ("open", 0, 0)
    path = f"/v1/repayments/{relayed.json()['id']}/reverse"
    assert (await api.post(path, person.token, {"reason": "no"})).status_code == 403
    reversed_ = await api.post(path, api.platform, {"reason": "recalled"})
    assert reversed_.json()["status"] == "reversed"
    line = (await api.get(f"/v1/lines/{person.line}", person.token)).json()
    assert (line["status"], line["billed_minor"], line["accrued_minor"]) == ("suspended", 100_000, 100)


async def test_lists_are_pages(api: Api) -> None:
    person, shop = await api.new_person(line_minor=500_000), await api.new_merchant()
    for _ in range(3):
        await api.pay(person, shop, 100)
        api.clock.turn_to(api.clock.now() + timedelta(seconds=1))
    path = f"/v1/lines/{person.line}/draws?limit=2"
    first = (await api.get(path, person.token)).json()
    assert (len(first["data"]), first["has_more"]) == (2, True)
    second = (await api.get(f"{path}&starting_after={first['next']}", person.token)).json()
    assert (len(second["data"]), second["has_more"], second["next"]) == (1, False, None)
    assert len({one["id"] for one in (*first["data"], *second["data"])}) == 3
    assert (await api.get(f"{path}&starting_after=lin_x", person.token)).status_code == 422


async def test_due_bills_are_debited_from_where_the_person_says(api: Api) -> None:
    person, shop = await api.new_person(line_minor=500_000, wallet_minor=200_000), await api.new_merchant()
    chosen = await api.post(f"/v1/lines/{person.line}/auto_debit", person.token, {"sources": [person.wallet]})
    assert (chosen.status_code, chosen.json()["auto_debit"]) == (200, [person.wallet])
    other = await api.new_person()
    theirs = await api.post(f"/v1/lines/{person.line}/auto_debit", person.token, {"sources": [other.wallet]})
    assert theirs.status_code == 422
    await api.pay(person, shop, 100_000)
    await turn_to(api, 10, 10)
    line = (await api.get(f"/v1/lines/{person.line}", person.token)).json()
    assert (line["billed_minor"], line["used_minor"]) == (0, 0)


async def test_what_staff_do_is_audited(api: Api) -> None:
    person, boss = await api.new_person(), await api.new_staff(Role.SUPERVISOR)
    body = {"person": person.id, "product": "monthly_bill", "limit_minor": 300_000, "reason": "good standing"}
    line = (await api.post("/v1/lines", boss, body)).json()["id"]
    await api.post(f"/v1/lines/{line}/freeze", boss, {"reason": "a lost phone"})
    await api.post(f"/v1/lines/{line}/freeze", person.token, {})  # frozen already, and no deed of staff
    deeds = []
    for of in (person.id, line):
        entries = (await api.get(f"/v1/audit_entries?of={of}", boss)).json()["data"]
        deeds += [(entry["operation"], entry["reason"]) for entry in entries]
    assert deeds == [("open_line", "good standing"), ("freeze_line", "a lost phone")]


async def test_a_repayment_that_staff_book_is_audited(api: Api) -> None:
    person, shop = await api.new_person(line_minor=500_000, wallet_minor=1_000), await api.new_merchant()
    await api.pay(person, shop, 100_000)
    await turn_to(api, 9, 5)
    boss = await api.new_staff(Role.SUPERVISOR)
    relayed = {"line": person.line, "amount_minor": 1_000, "source": "external"}
    late = relayed | {"value_on": "2026-09-04", "reason": "a transfer of yesterday"}
    for body in (relayed, late):
        first = await api.post("/v1/repayments", boss, body, key=f"key {len(body)}")
        assert first.status_code == 201, first.text
        again = await api.post("/v1/repayments", boss, body, key=f"key {len(body)}")
        assert again.content == first.content
        api.clock.turn_to(api.clock.now() + timedelta(seconds=1))
    undo = f"/v1/repayments/{first.json()['id']}/reverse"
    for _ in range(2):
        assert (await api.post(undo, boss, {"reason": "it bounced"})).status_code == 200
    refused = await api.post("/v1/repayments", boss, relayed | {"value_on": "2026-09-01"})
    assert refused.status_code == 422
    own = {"line": person.line, "amount_minor": 1_000}
    for token, body in ((api.platform, relayed), (person.token, own)):
        assert (await api.post("/v1/repayments", token, body)).status_code == 201
        with_reason = await api.post("/v1/repayments", token, body | {"reason": "mine"})
        assert with_reason.json()["errors"][0]["pointer"] == "/reason"
    entries = (await api.get(f"/v1/audit_entries?of={person.line}", boss)).json()["data"]
    assert [(entry["operation"], entry["by_kind"], entry["reason"]) for entry in entries] == [
        ("create_repayment", "staff", "a transfer of yesterday"), ("create_repayment", "staff", ""),
    ]  # fmt: skip
    entries = (await api.get(f"/v1/audit_entries?of={first.json()['id']}", boss)).json()["data"]
    assert [(entry["operation"], entry["reason"]) for entry in entries] == [
        ("reverse_repayment", "it bounced")
    ]


async def test_a_raise_and_a_freeze_with_an_end(api: Api) -> None:
    person, boss = await api.new_person(line_minor=500_000), await api.new_staff(Role.SUPERVISOR)
    path = f"/v1/lines/{person.line}"
    raised = {"limit_minor": 600_000, "until": "2026-09-20"}
    assert (await api.post(f"{path}/limit", person.token, raised)).status_code == 409
    assert (await api.post(f"{path}/limit", boss, raised)).json()["errors"][0]["pointer"] == "/reason"
    line = (await api.post(f"{path}/limit", boss, {**raised, "reason": "a wedding"})).json()
    assert (line["limit_minor"], line["effective_limit_minor"], line["available_minor"]) == (
        500_000, 600_000, 600_000,
    )  # fmt: skip
    assert (line["temporary_limit_minor"], line["temporary_until_on"]) == (600_000, "2026-09-20")
    for body, pointer in (
        ({"limit_minor": 600_001, "until": "2026-09-20", "reason": "more"}, "/limit_minor"),
        ({"limit_minor": 600_000, "until": "2026-09-02", "reason": "past"}, "/until"),
        ({"limit_minor": 600_000, "until": "soon", "reason": "no date"}, "/until"),
    ):
        refused = await api.post(f"{path}/limit", boss, body)
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, pointer)
    declined = (await api.post(f"{path}/limit", person.token, {"limit_minor": 500_000})).json()
    assert (declined["effective_limit_minor"], declined["temporary_until_on"]) == (500_000, None)
    frozen = (await api.post(f"{path}/freeze", person.token, {"until": "2026-09-10"})).json()
    assert (frozen["status"], frozen["frozen_until_on"]) == ("frozen", "2026-09-10")
    await turn_to(api, 9, 10)
    assert (await api.get(path, person.token)).json()["status"] == "open"
    await api.catch_up()
    kinds = [
        event["type"]
        for event in (await api.get("/v1/events?limit=100", api.platform)).json()["data"]
        if event["type"].startswith("line.")
    ]
    assert sorted(kinds)[:2] == ["line.frozen", "line.limit_changed"]
    assert "line.opened" in kinds


async def test_the_history_of_a_line_is_read_by_its_person_and_by_staff(api: Api) -> None:
    person, boss = await api.new_person(line_minor=500_000), await api.new_staff(Role.SUPERVISOR)
    path = f"/v1/lines/{person.line}"
    for n in range(3):
        api.clock.turn_to(api.clock.now() + timedelta(seconds=1))
        await api.post(f"{path}/limit", boss, {"limit_minor": 400_000 + n, "reason": f"review {n}"})
    api.clock.turn_to(api.clock.now() + timedelta(seconds=1))
    await api.post(f"{path}/freeze", person.token, {"until": "2026-09-10"})
    first = (await api.get(f"{path}/history?limit=2", person.token)).json()
    assert [(one["kind"], one["actor"], one["reason"]) for one in first["data"]] == [
        ("frozen", "person", "asked for by the person"),
        ("limit_set", "staff", "review 2"),
    ]
    assert (first["data"][0]["until_on"], first["data"][0]["object"]) == ("2026-09-10", "line_change")
    assert all(one["staff"] is None for one in first["data"]), "which of the staff is not theirs to know"
    rest = (await api.get(f"{path}/history?starting_after={first['next']}", boss)).json()
    assert [one["kind"] for one in rest["data"]] == ["limit_set", "limit_set", "opened"]
    assert all(one["staff"].startswith("stf_") for one in rest["data"])
    other = await api.new_person()
    assert (await api.get(f"{path}/history", other.token)).status_code == 404
    assert (await api.get(f"{path}/history?starting_after=lin_x", boss)).status_code == 422


async def test_a_cap_over_all_lines_of_a_person(api: Api) -> None:
    person, shop = await api.new_person(line_minor=500_000), await api.new_merchant()
    boss = await api.new_staff(Role.SUPERVISOR)
    path = f"/v1/people/{person.id}/credit_cap"
    assert (await api.get(path, person.token)).json() == {
        "object": "credit_cap", "person": person.id, "currency": "CNY", "cap_minor": None, "used_minor": 0,
        "held_minor": 0, "available_minor": None,
    }  # fmt: skip
    body = {"cap_minor": 100_000, "reason": "other lenders"}
    assert (await api.post(path, person.token, body)).status_code == 403
    assert (await api.post(path, boss, {"cap_minor": 1})).json()["errors"][0]["pointer"] == "/reason"
    assert (await api.post(path, boss, body)).json()["available_minor"] == 100_000
    line = (await api.get(f"/v1/lines/{person.line}", person.token)).json()
    assert (line["limit_minor"], line["available_minor"]) == (500_000, 100_000)
    assert (await api.pay(person, shop, 60_000)).status_code == 201
    declined = await api.pay(person, shop, 40_001)
    assert (declined.status_code, declined.json()["reasons"][0]["code"]) == (402, "limit_exceeded")
    assert (await api.get(path, boss)).json()["available_minor"] == 40_000
    entries = (await api.get(f"/v1/audit_entries?of={person.id}", boss)).json()["data"]
    assert [(one["operation"], one["reason"]) for one in entries][:1] == [("set_credit_cap", "other lenders")]
    assert (await api.post(path, boss, {**body, "cap_minor": None})).json()["cap_minor"] is None
    assert (await api.pay(person, shop, 40_001)).status_code == 201
    nobody = "/v1/people/per_01h455vb4pex5vsknk084sn02q/credit_cap"
    assert (await api.get(nobody, boss)).status_code == 404
    assert (await api.post(nobody, boss, body)).status_code == 404
