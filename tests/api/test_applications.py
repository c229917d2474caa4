"""Credit opened in one visit over HTTP: applied, read, signed, paid with; and whose it is."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from tests.cases import cases

from wufeng.app import close_steps
from wufeng.base.ids import Prefix, decode, encode, slot_of
from wufeng.credit import application_steps, close_through
from wufeng.identity.bank_accounts.model import BankAccount, BankAccountStatus
from wufeng.identity.bank_accounts.store import insert_account, move_status
from wufeng.identity.merchants.model import Scene
from wufeng.identity.people.commands import Registration
from wufeng.identity.people.queries import birth_date_of_person
from wufeng.identity.people.rules import birth_date_of
from wufeng.identity.people.store import load_keys
from wufeng.identity.staff.model import Role
from wufeng.identity.vault import Private
from wufeng.payments.spending.queries import gather_facts

from .conftest import PIN, Api, Person, Shop
from .matrix import CONSENTS

BORN = {"born_on": "1990-01-02"}


async def known(api: Api, person: Person, tier: int = 2) -> Person:
    """A person whose papers the operator has seen."""
    async with api.app.services.database.transaction() as db:
        await db.execute("update person set tier = $2 where id = $1", decode(Prefix.PERSON, person.id), tier)
    return person


def asking(**more: Any) -> dict[str, Any]:
    return {"product": "monthly_bill", "consents": CONSENTS, "declared": BORN, **more}


def signing(view: dict[str, Any], pin: str = PIN) -> dict[str, Any]:
    return {"sheet_hash": view["sheet"]["hash"], "confirmation": {"kind": "pin", "proof": pin}}


async def spend(api: Api, person: Person, shops: list[Shop], times: int, amount_minor: int) -> None:
    """Pay from the balance, so often at each shop."""
    for shop in shops:
        for _ in range(times):
            paid = await api.pay(person, shop, amount_minor, funding=[{"wallet": person.wallet}])
            assert paid.status_code == 201, paid.text


async def test_one_visit_from_nothing_to_a_payment(api: Api) -> None:
    person, shop = await known(api, await api.new_person()), await api.new_merchant()
    terms = (await api.get("/v1/application_terms", person.token)).json()
    assert [consent["purpose"] for consent in terms["consents"]] == [one["purpose"] for one in CONSENTS]
    assert all(consent["text"] for consent in terms["consents"])
    product = next(one for one in terms["products"] if one["product"] == "monthly_bill")
    assert product["late_terms"]["annualised_rate_ppm"] == 182_500
    applied = await api.post("/v1/applications", person.token, asking())
    assert applied.status_code == 201, applied.text
    view = applied.json()
    assert (view["status"], view["grade"], view["limit_minor"], view["score"]) == (
        "offered",
        "E",
        500_00,
        200,
    )
    sheet = await api.get(view["sheet"]["url"], person.token)
    assert hashlib.sha256(sheet.content).hexdigest() == view["sheet"]["hash"]
    assert sheet.json()["nothing_else"]["en"].startswith("Nothing else is charged")
    contract = await api.get(view["contract"]["url"], person.token)
    assert contract.json()["sheet_hash"] == view["sheet"]["hash"]
    accepted = await api.post(f"/v1/applications/{view['id']}/accept", person.token, signing(view))
    assert accepted.status_code == 200, accepted.text
    assert accepted.json()["status"] == "accepted"
    person.line = accepted.json()["line"]
    paid = await api.pay(person, shop, 400_00)
    assert (paid.status_code, paid.json()["status"]) == (201, "captured")
    read = await api.get(f"/v1/applications/{view['id']}", person.token)
    assert read.json() == accepted.json()
    (listed,) = (await api.get("/v1/applications", person.token)).json()["data"]
    assert listed == read.json()
    assert (await api.get("/v1/application_terms", person.token)).json()["products"] == [
        one for one in terms["products"] if one["product"] != "monthly_bill"
    ]
    told = (await api.get("/v1/events", api.platform)).json()["data"]
    assert [one["type"] for one in told if one["type"].startswith("application.")] == [
        "application.offered",
        "application.accepted",
    ]


async def test_what_people_paid_makes_the_difference(api: Api) -> None:
    scenes = (Scene.RETAIL, Scene.CATERING, Scene.TRANSPORT, Scene.GROCERY)
    shops = [await api.new_merchant(scene=scene) for scene in scenes]
    spender = await known(api, await api.new_person(wallet_minor=9_000_00))
    quiet = await known(api, await api.new_person())
    await spend(api, spender, shops, 3, 80_00)  # a day of an account without a second factor
    answers = [
        (await api.post("/v1/applications", person.token, asking())).json() for person in (spender, quiet)
    ]
    assert [answer["limit_minor"] for answer in answers] == [2_400_00, 500_00]
    texts = [
        {line["code"]: (line["points"], line["text"]) for line in answer["points"]} for answer in answers
    ]
    assert texts[0]["payments"] == (60, "近 90 天付款 12 笔")
    assert texts[0]["paid_minor"] == (30, "近 90 天付款金额 960.00")
    assert texts[0]["scenes"] == (40, "近 90 天付款场景 4 类")
    assert texts[1]["payments"] == (0, "近 90 天付款 0 笔")
    assert [step["code"] for step in answers[0]["limit_steps"]] == ["grade", "spending", "rounded"]
    assert [answer["price"]["tier"] for answer in answers] == ["preferred", "standard"]
    assert answers[0]["price"]["text"] == "等级 C 对应的价格档：优享价"
    assert {reason["code"] for reason in answers[1]["reasons"]} >= {"spending_low", "history_short"}
    english = await api.get(
        f"/v1/applications/{answers[1]['id']}", quiet.token, headers={"Accept-Language": "en"}
    )
    assert english.json()["points"][3]["text"] == "Payments in the last 90 days: 0"


async def test_a_wrong_pin_signs_nothing(api: Api) -> None:
    person = await known(api, await api.new_person())
    view = (await api.post("/v1/applications", person.token, asking())).json()
    path = f"/v1/applications/{view['id']}/accept"
    wrong = await api.post(path, person.token, signing(view, "111222"), key="sign")
    assert (wrong.status_code, wrong.json()["code"], wrong.json()["tries_left"]) == (
        403,
        "confirmation_failed",
        4,
    )
    assert (await api.get("/v1/lines", person.token)).json()["data"] == []
    bad_hash = {**signing(view), "sheet_hash": "0" * 64}
    other = await api.post(path, person.token, bad_hash)
    assert (other.status_code, other.json()["errors"][0]["pointer"]) == (422, "/sheet_hash")
    right = await api.post(path, person.token, signing(view), key="sign")
    assert right.status_code == 200, right.text
    again = await api.post(path, person.token, signing(view, "111222"), key="sign")
    assert again.content == right.content, "a key that comes again needs no proof"
    reused = await api.post(path, person.token, bad_hash, key="sign")
    assert reused.json()["code"] == "idempotency_key_reused"
    assert len((await api.get("/v1/lines", person.token)).json()["data"]) == 1


async def test_keys_and_resuming(api: Api) -> None:
    person = await known(api, await api.new_person())
    lacking = await api.post("/v1/applications", person.token, asking(), key=None)
    assert lacking.json()["code"] == "idempotency_key_missing"
    first = await api.post("/v1/applications", person.token, asking(), key="a")
    assert (await api.post("/v1/applications", person.token, asking(), key="a")).content == first.content
    resumed = await api.post("/v1/applications", person.token, asking(), key="b")
    assert (resumed.status_code, resumed.json()) == (200, first.json())


async def test_anothers_application_is_none(api: Api) -> None:
    person, other = await known(api, await api.new_person()), await api.new_person()
    view = (await api.post("/v1/applications", person.token, asking())).json()
    path = f"/v1/applications/{view['id']}"
    for tail in ("", "/sheet", "/contract"):
        assert (await api.get(f"{path}{tail}", other.token)).status_code == 404
    assert (await api.post(f"{path}/accept", other.token, signing(view))).status_code == 404
    staff = await api.new_staff(Role.OPERATOR)
    assert (await api.get(path, staff)).json()["id"] == view["id"]
    assert (await api.post(f"{path}/accept", staff, signing(view))).status_code == 403
    assert (await api.post(f"{path}/decide", staff, {"reason": "x"})).status_code == 403


@cases(
    ("change", "pointer"),
    [
        ({"consents": CONSENTS[:2]}, "/consents"),
        ({"product": "gold"}, "/product"),
        ({"declared": {}}, "/declared/born_on"),
        ({"declared": {"born_on": "2999-01-01"}}, "/declared/born_on"),
        ({"order": "ord_01h455vb4pex5vsknk084sn02q"}, "/order"),
        ({"declared": {**BORN, "income_month_minor": -1}}, "/declared/income_month_minor"),
    ],
)
async def test_a_field_that_is_wrong_is_named(api: Api, change: dict[str, Any], pointer: str) -> None:
    person = await api.new_person()
    answer = await api.post("/v1/applications", person.token, asking(**change))
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)


async def test_a_declined_application_says_why(api: Api) -> None:
    young, thin = await known(api, await api.new_person()), await api.new_person()
    answer = await api.post("/v1/applications", young.token, asking(declared={"born_on": "2010-01-02"}))
    declined = answer.json()
    assert (answer.status_code, declined["status"], declined["sheet"]) == (201, "declined", None)
    assert declined["reasons"] == [
        {"code": "age_below_minimum", "adverse_action": "C14", "text": "未达到产品要求的年龄"}
    ]
    score = (await api.post("/v1/applications", thin.token, asking())).json()
    assert score["status"] == "declined" and 1 <= len(score["reasons"]) <= 4
    assert (await api.get(f"/v1/applications/{score['id']}/sheet", thin.token)).status_code == 404


async def test_the_sheet_of_an_order_is_of_its_amount(api: Api) -> None:
    person, shop = await known(api, await api.new_person()), await api.new_merchant()
    order = api.order(shop, 300_00)
    del order["merchant"]
    made = (await api.post("/v1/orders", shop.key, order)).json()
    view = (await api.post("/v1/applications", person.token, asking(order=made["id"]))).json()
    assert (view["order"], view["order_minor"]) == (made["id"], 300_00)
    sheet = (await api.get(view["sheet"]["url"], person.token)).json()
    assert (sheet["basis"], sheet["principal_minor"]) == ("order", 300_00)
    offers = await api.get(f"/v1/offers?merchant={shop.id}&amount_minor=30000")
    assert {way["tenor"]: way["annualised_rate_ppm"] for way in sheet["ways"]} == {
        offer["tenor"]: offer["annualised_rate_ppm"]
        for offer in offers.json()["data"]
        if offer["product"] == f"{view['product']}@{view['product_version']}"
    }


async def test_the_sheet_of_an_order_that_credit_never_pays_is_of_the_limit(api: Api) -> None:
    person, shop = await known(api, await api.new_person()), await api.new_merchant(scene=Scene.LOTTERY)
    view = (await api.post("/v1/applications", person.token, asking(order=await ordered(api, shop)))).json()
    sheet = (await api.get(view["sheet"]["url"], person.token)).json()
    assert (sheet["basis"], sheet["principal_minor"]) == ("limit", view["limit_minor"])
    signed = await api.post(f"/v1/applications/{view['id']}/accept", person.token, signing(view))
    paid = await api.pay(person, shop, 300_00, order=view["order"], funding=[{"line": signed.json()["line"]}])
    assert [one["code"] for one in paid.json()["reasons"]] == ["scene_forbidden"]


async def test_staff_decide_what_was_referred(api: Api) -> None:
    person, shop = await api.new_person(wallet_minor=100_00), await api.new_merchant()
    await spend(api, person, [shop], 3, 1_00)
    view = (await api.post("/v1/applications", person.token, asking())).json()
    assert view["status"] == "referred"
    staff = await api.new_staff(Role.SUPERVISOR)
    path = f"/v1/applications/{view['id']}/decide"
    offered = await api.post(path, staff, {"limit_minor": 600_00, "reason": "papers seen"})
    assert (offered.status_code, offered.json()["limit_minor"]) == (200, 600_00)
    entries = (await api.get(f"/v1/audit_entries?of={view['id']}", await api.new_staff(Role.ADMIN))).json()
    assert [entry["reason"] for entry in entries["data"]] == ["papers seen"]
    accepted = await api.post(f"/v1/applications/{view['id']}/accept", person.token, signing(offered.json()))
    assert accepted.json()["status"] == "accepted"


async def ordered(api: Api, shop: Shop, amount_minor: int = 300_00) -> str:
    """An order of the shop's that waits to be paid."""
    order = api.order(shop, amount_minor)
    del order["merchant"]
    id_: str = (await api.post("/v1/orders", shop.key, order)).json()["id"]
    return id_


async def test_the_sheet_of_an_order_has_the_campaigns_of_its_merchant(api: Api) -> None:
    person, shop = await known(api, await api.new_person()), await api.new_merchant()
    campaign = {"name": "Autumn", "from_on": "2026-09-03", "until_on": "2026-09-30", "tenors": [3]}
    made = await api.post("/v1/campaigns", shop.key, {**campaign, "budget_minor": 50_00})
    assert made.status_code == 201, made.text
    order = await ordered(api, shop)
    view = (await api.post("/v1/applications", person.token, asking(order=order))).json()
    sheet = (await api.get(view["sheet"]["url"], person.token)).json()
    assert {way["tenor"]: way["merchant_share_ppm"] for way in sheet["ways"]} == {
        1: 0,
        3: 1_000_000,
        6: 0,
        9: 0,
        12: 0,
    }
    assert next(way["total_cost_minor"] for way in sheet["ways"] if way["tenor"] == 3) == 0


@pytest.mark.parametrize(("closed", "basis"), [(False, "order"), (True, "limit")])
async def test_what_staff_decide_keeps_its_order(api: Api, closed: bool, basis: str) -> None:
    person, shop = await api.new_person(wallet_minor=100_00), await api.new_merchant()
    await spend(api, person, [shop], 3, 1_00)
    order = await ordered(api, shop)
    view = (await api.post("/v1/applications", person.token, asking(order=order))).json()
    assert (view["status"], view["order"]) == ("referred", order)
    if closed:
        assert (await api.post(f"/v1/orders/{order}/close", shop.key)).status_code == 200
    staff, seen = await api.new_staff(Role.SUPERVISOR), {"limit_minor": 600_00, "reason": "papers seen"}
    offered = (await api.post(f"/v1/applications/{view['id']}/decide", staff, seen)).json()
    sheet = (await api.get(offered["sheet"]["url"], person.token)).json()
    principal_minor = 300_00 if basis == "order" else 600_00
    assert (sheet["basis"], sheet["principal_minor"]) == (basis, principal_minor)


async def test_a_declined_person_asks_for_a_person(api: Api) -> None:
    person, other = await api.new_person(), await api.new_person()
    view = (await api.post("/v1/applications", person.token, asking())).json()
    path = f"/v1/applications/{view['id']}"
    assert (await api.post(f"{path}/refer", other.token)).status_code == 404
    referred = await api.post(f"{path}/refer", person.token)
    assert (referred.status_code, referred.json()["status"]) == (200, "referred")
    assert referred.json()["reasons"] == view["reasons"]
    staff = await api.new_staff(Role.SUPERVISOR)
    declined = await api.post(f"{path}/decide", staff, {"reason": "nothing shown"})
    assert declined.json()["reasons"][-1]["code"] == "declined_by_staff"
    again = await api.post(f"{path}/refer", person.token)
    assert (again.status_code, again.json()["code"]) == (409, "state_conflict")


async def test_papers_are_drawn_in_both_languages(api: Api) -> None:
    pypdf = pytest.importorskip("pypdf")
    import io

    person = await known(api, await api.new_person())
    view = (await api.post("/v1/applications", person.token, asking())).json()

    async def text(path: str, language: str) -> str:
        headers = {"Accept": "application/pdf", "Accept-Language": language}
        answer = await api.get(path, person.token, headers=headers)
        assert answer.headers["content-type"] == "application/pdf" and answer.content[:5] == b"%PDF-"
        return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(answer.content)).pages)

    chinese, english = await text(view["sheet"]["url"], "zh"), await text(view["sheet"]["url"], "en")
    assert "综合融资成本明示表" in chinese and view["sheet"]["hash"] in chinese
    assert "All-in cost sheet" in english and "15.86%" in english
    assert "尚未签署" in await text(view["contract"]["url"], "zh")
    await api.post(f"/v1/applications/{view['id']}/accept", person.token, signing(view))
    signed = await text(view["contract"]["url"], "en")
    assert "Confirmed by" in signed and "PIN" in signed


async def test_the_age_comes_from_the_document_and_is_not_kept(api: Api) -> None:
    services, at = api.app.services, api.book.at(api.clock)
    assert birth_date_of("110105200809041237") == datetime(2008, 9, 4).date()  # noqa: DTZ001
    assert birth_date_of("110105200813011234") is None and birth_date_of("E1234567") is None
    registration = Registration(
        phone=Private("+8613911112222"),
        external_id=Private("doc"),
        name=Private("王小明"),
        document=Private("110105200809041237"),
    )
    from wufeng.identity import register
    from wufeng.identity.sessions.commands import open_session

    answer = await register(services.lanes, services.vault, api.book, registration, at)
    person_id = decode(Prefix.PERSON, json.loads(answer.body)["id"])
    async with services.database.transaction() as db:
        token = (await open_session(db, services.ids, api.book, person_id, "test", at)).token
        born = await birth_date_of_person(db, services.vault, api.book, person_id)
    assert born is not None and born.isoformat() == "2008-09-04"
    view = (await api.post("/v1/applications", token, asking())).json()
    assert [reason["code"] for reason in view["reasons"]] == ["age_below_minimum"], "17, whatever is declared"
    async with services.database.read() as db:
        rows = await db.fetch("select inputs::text as inputs, decision::text as decision from application")
    assert all("2008" not in row["inputs"] + row["decision"] for row in rows)


async def test_reviews_are_read_by_the_person(api: Api) -> None:
    person = await known(api, await api.new_person())
    view = (await api.post("/v1/applications", person.token, asking())).json()
    line = (await api.post(f"/v1/applications/{view['id']}/accept", person.token, signing(view))).json()[
        "line"
    ]
    everything = close_steps(api.app.services.products)
    steps = [step for step in everything if "review" not in step.name and "lapses" not in step.name]
    api.clock.turn_to(datetime(2026, 10, 2, 4, 0, tzinfo=UTC))
    bucket = api.book.bucket_of(decode(Prefix.LINE, line))
    through = api.book.business_date(api.book.at(api.clock)) - timedelta(days=1)
    await close_through(api.app.lanes, api.book, bucket, through, [*steps, *application_steps(gather_facts)])
    (review,) = (await api.get(f"/v1/lines/{line}/reviews", person.token)).json()["data"]
    assert (review["reviewed_on"], review["outcome"], review["limit_minor"]) == ("2026-10-01", "kept", 500_00)
    assert review["points"] and review["reasons"]
    other = await api.new_person()
    assert (await api.get(f"/v1/lines/{line}/reviews", other.token)).status_code == 404


async def test_facts_are_of_the_window_alone(api: Api) -> None:
    person, shop = await api.new_person(wallet_minor=100_00), await api.new_merchant()
    await spend(api, person, [shop], 2, 10_00)
    paid = (await api.get("/v1/payments", person.token)).json()["data"][0]
    refund = {"payment": paid["id"], "refund_no": "r", "amount_minor": 10_00, "reason": "back"}
    assert (await api.post("/v1/refunds", shop.key, refund)).status_code == 201
    person_id = decode(Prefix.PERSON, person.id)
    bucket, at = api.book.bucket_of(person_id), api.book.at(api.clock)
    async with api.app.services.database.read() as db:
        now = (await gather_facts(db, bucket, [person_id], at, 90))[person_id]
        later = (await gather_facts(db, bucket, [person_id], at + timedelta(days=91), 90))[person_id]
    assert (now.habits.payments, now.habits.paid_minor, now.habits.scenes) == (1, 10_00, 1)
    assert later.habits == replace(now.habits, payments=0, paid_minor=0, scenes=0)


async def test_orders_on_one_bill_a_month_may_be_asked_for(api: Api) -> None:
    person = await known(api, await api.new_person())
    terms = (await api.get("/v1/application_terms", person.token)).json()
    modes = {one["product"]: [mode["mode"] for mode in one["modes"]] for one in terms["products"]}
    assert (modes["order_instalments"], modes["monthly_bill"]) == (["order", "bill"], ["bill"])
    wrong = await api.post("/v1/applications", person.token, asking(mode="order"))
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/mode")
    asked = asking(product="order_instalments", mode="bill")
    view = (await api.post("/v1/applications", person.token, asked)).json()
    sheet = (await api.get(view["sheet"]["url"], person.token)).json()
    assert (view["mode"], sheet["mode"]) == ("bill", "bill")
    signed = await api.post(f"/v1/applications/{view['id']}/accept", person.token, signing(view))
    line = (await api.get(f"/v1/lines/{signed.json()['line']}", person.token)).json()
    assert (line["bill_day"], line["due_day"], line["due_after_days"]) == (3, None, 9)


async def bound_account(api: Api, person: Person) -> str:
    """A verified account of a person's own, as its bank has said."""
    services, person_id = api.app.services, decode(Prefix.PERSON, person.id)
    bucket, at = api.book.bucket_of(person_id), api.book.at(api.clock)
    account = BankAccount(
        id=services.ids.new(at, slot_of(person_id)),
        person_id=person_id,
        bank="ICBC",
        number_masked="****0001",
        status=BankAccountStatus.UNVERIFIED,
        created_at=at,
    )
    async with services.database.transaction() as db:
        key = (await load_keys(db, services.vault, bucket, [person_id]))[person_id]
        await insert_account(db, bucket, key, account, Private("6222000000000001"), account.id)
        await move_status(
            db, bucket, account.id, [BankAccountStatus.UNVERIFIED], BankAccountStatus.VERIFIED, at
        )
    return encode(Prefix.BANK_ACCOUNT, account.id)


async def test_an_account_that_is_gone_opens_no_line(api: Api) -> None:
    person = await known(api, await api.new_person())
    account = await bound_account(api, person)
    view = (await api.post("/v1/applications", person.token, asking(product="daily_interest"))).json()
    assert view["status"] == "offered"
    assert (await api.call("DELETE", f"/v1/bank_accounts/{account}", person.token)).status_code == 200
    path = f"/v1/applications/{view['id']}/accept"
    refused = await api.post(path, person.token, signing(view))
    assert (refused.status_code, refused.json()["code"]) == (409, "state_conflict")
    assert "bank_account_missing" in refused.json()["detail"]
    assert (await api.get("/v1/lines", person.token)).json()["data"] == []
    await bound_account(api, person)
    assert (await api.post(path, person.token, signing(view))).json()["status"] == "accepted"


async def test_nobody_applies_for_an_order_that_is_paid(api: Api) -> None:
    person, payer = await known(api, await api.new_person()), await api.new_person(line_minor=5_000_00)
    shop = await api.new_merchant()
    terms = {"order_no": "B-1", "amount_minor": 123_45, "currency": "CNY", "subject": "Tea"}
    order = (await api.post("/v1/orders", shop.key, terms, key=None)).json()["id"]
    first = await api.post("/v1/applications", person.token, asking(order=order), key="one")
    assert first.status_code == 201
    paying = {
        "order": order,
        "funding": [{"line": payer.line}],
        "confirmation": {"kind": "pin", "proof": PIN},
    }
    assert (await api.post("/v1/payments", payer.token, paying)).status_code == 201
    refused = await api.post("/v1/applications", person.token, asking(order=order))
    assert (refused.status_code, refused.json()["code"]) == (409, "order_taken")
    again = await api.post("/v1/applications", person.token, asking(order=order), key="one")
    assert (again.status_code, again.content) == (201, first.content), "the same key, the same answer"
