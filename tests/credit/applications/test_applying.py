"""Applications through the lane: decided, resumed, signed, lapsed; and what is kept of it."""

import asyncio
import hashlib
from datetime import date, timedelta
from uuid import UUID

import msgspec
import pytest
from msgspec.structs import replace
from tests.credit.applications.conftest import POLICY, QUIET, REGULAR, Office
from tests.credit.conftest import Payer

from wufeng import credit
from wufeng.base.claims import claim_key
from wufeng.base.errors import Code, Problem
from wufeng.base.ids import Prefix, decode
from wufeng.credit import queries
from wufeng.credit.applications import store
from wufeng.credit.applications.model import (
    Application,
    ApplicationStatus,
    Declared,
    Facts,
    Habits,
    OrderWay,
    Purchase,
)
from wufeng.credit.applications.papers import read_contract, read_sheet
from wufeng.credit.applications.rules import decide_application
from wufeng.credit.applications.views import ApplicationView
from wufeng.credit.lines.model import Actor
from wufeng.credit.lines.store import load_changes, load_lines
from wufeng.credit.offers import offers
from wufeng.credit.products.model import Mode
from wufeng.credit.views import InstalmentView
from wufeng.identity.merchants.model import Scene
from wufeng.ledger import AccountKind


async def row(office: Office, view: ApplicationView) -> Application:
    async with office.house.database.read() as db:
        id_ = decode(Prefix.APPLICATION, view.id)
        return (await store.load_applications(db, office.house.bucket, [id_]))[id_]


async def test_two_people_get_two_limits_and_use_them_at_once(office: Office) -> None:
    house = office.house
    regular, quiet = await house.person(), await house.person()
    office.facts = {regular.id: REGULAR, quiet.id: QUIET}
    first, second = await office.apply(regular), await office.apply(quiet, language="en")
    assert (first.status, second.status) == ("offered", "offered")
    assert first.limit_minor == 22_000_00 and second.limit_minor == 1_000_00
    assert [point.text for point in second.points][2:4] == [
        "Days with us: 0",
        "Payments in the last 90 days: 0",
    ]
    assert second.reasons[0].text and second.limit_steps[0].text == "What grade D begins with"
    accepted = await office.accept(regular, first)
    assert accepted.status == "accepted" and accepted.line is not None
    payer = replace(regular, line_id=decode(Prefix.LINE, accepted.line))
    await house.buy(payer, 21_999_00)
    line = await house.line(payer)
    assert (line.limit_minor, line.available_minor) == (22_000_00, 1_00)
    assert await house.balance(payer.line_id, AccountKind.LINE_PRINCIPAL) == 21_999_00
    async with house.database.read() as db:
        (change,) = await load_changes(db, house.bucket, payer.line_id)
    assert change.actor is Actor.SYSTEM and accepted.id in change.reason
    events = await house.events("application.offered", "application.accepted", "line.opened")
    assert [event.split()[0] for event in events] == [
        "application.offered",
        "application.offered",
        "line.opened",
        "application.accepted",
    ]


async def test_a_decision_can_be_made_again_from_its_row(office: Office) -> None:
    person = await office.house.person()
    declared = Declared(
        income_month_minor=8_000_00, lines_elsewhere=2, repayments_elsewhere_month_minor=500_00
    )
    view = await office.apply(person, facts=REGULAR, declared=declared)
    kept = await row(office, view)
    product = office.house.products.version(kept.product, kept.product_version)
    assert decide_application(kept.inputs, POLICY, product) == kept.decision
    assert kept.policy == POLICY.name and kept.inputs.lines_elsewhere == 2


async def test_who_comes_back_finds_the_application_under_way(office: Office) -> None:
    person = await office.house.person()
    first = await office.apply(person, facts=REGULAR)
    again = await office.house.do(office.applying(person, facts=QUIET, age_years=40))
    assert again.status == 200
    assert msgspec.json.decode(again.body, type=ApplicationView) == first
    both = await asyncio.gather(
        office.house.do(office.applying(person)), office.house.do(office.applying(person))
    )
    assert {answer.object_id for answer in both} == {decode(Prefix.APPLICATION, first.id)}


async def test_at_once_makes_one_application(office: Office) -> None:
    person = await office.house.person()
    answers = await asyncio.gather(
        *(office.house.do(office.applying(person, facts=REGULAR)) for _ in range(4))
    )
    assert sorted(answer.status for answer in answers) == [200, 200, 200, 201]
    assert len({answer.object_id for answer in answers}) == 1


async def test_a_key_that_comes_again_gets_the_same_bytes(office: Office) -> None:
    house, person = office.house, await office.house.person()
    claim = claim_key(b"p" * 32, person.id, "one", "POST /v1/applications", {})
    first = await house.do(replace(office.applying(person, facts=REGULAR), claim=claim))
    view = msgspec.json.decode(first.body, type=ApplicationView)
    await office.accept(person, view)
    again = await house.do(replace(office.applying(person, facts=QUIET), claim=claim))
    assert (again.status, again.body) == (201, first.body)


async def test_the_sheet_is_the_schedule_that_would_be_executed(office: Office) -> None:
    house, person = office.house, await office.house.person()
    purchase = Purchase(UUID(int=7), 1_299_00, Scene.RETAIL)
    kept = await row(office, await office.apply(person, facts=REGULAR, purchase=purchase))
    assert kept.sheet is not None and kept.contract is not None
    for paper in (kept.sheet, kept.contract):
        assert hashlib.sha256(paper.content).hexdigest() == paper.hash
    sheet, contract = read_sheet(kept.sheet), read_contract(kept.contract)
    assert (sheet.basis, sheet.principal_minor, sheet.limit_minor) == ("order", 1_299_00, 22_000_00)
    product = house.products.version(kept.product, kept.product_version, "preferred")
    options = offers(product, 1_299_00, Scene.RETAIL, house.on)
    assert [way.instalments for way in sheet.ways] == [option.instalments for option in options]
    for way in sheet.ways:
        assert sum(part.amount_minor for part in way.instalments) == way.total_minor
        assert way.total_minor == 1_299_00 + way.total_cost_minor
    for way, option in zip(sheet.ways, options, strict=True):
        rates = option.rates
        assert (way.annualised_rate_ppm, way.effective_rate_ppm) == (
            rates.annualised_ppm,
            rates.effective_ppm,
        )
        assert (way.eu_rate_ppm, way.us_rate_ppm) == (rates.eu_ppm, rates.us_ppm)
    assert sheet.annualised_max_ppm == max(option.annualised_rate_ppm for option in options)
    assert {item.code for item in sheet.items} >= {"single", "instalments_3", "instalments_12"}
    assert {item.code: item.annualised_rate_ppm for item in sheet.contingent} == {
        "revolving": 182_500,
        "late": 182_500,
    }
    assert [(one.code, one.share_ppm) for one in sheet.lenders] == [("lead", 700_000), ("second", 300_000)]
    assert contract.sheet_hash == kept.sheet.hash and contract.limit_minor == 22_000_00
    assert contract.consents == POLICY.consents == kept.consents
    without = await row(office, await office.apply(await house.person(), facts=QUIET))
    assert without.sheet is not None and read_sheet(without.sheet).principal_minor == 1_000_00


async def executed(office: Office, payer: Payer, amount_minor: int, **more: object) -> list[InstalmentView]:
    """The instalments of what a line draws."""
    answer = await office.house.do(office.house.buying(payer, amount_minor, **more))
    assert answer.status == 201 and answer.object_id is not None, answer.body
    async with office.house.database.read() as db:
        read = office.house.reading(db)
        draw, line = await queries.load_draw(read, answer.object_id, "plan")
        return list((await queries.show_plan(read, draw, line)).instalments)


@pytest.mark.parametrize("share_ppm", [0, 500_000, 1_000_000])
async def test_the_sheet_of_an_order_has_its_tenors_and_its_merchants_share(
    office: Office, share_ppm: int
) -> None:
    person = await office.house.person()
    bound = (OrderWay(3, share_ppm), OrderWay(6, 0))
    purchase = Purchase(UUID(int=7), 300_00, Scene.RETAIL, bound)
    view = await office.apply(person, facts=REGULAR, purchase=purchase)
    kept = await row(office, view)
    assert kept.sheet is not None
    sheet = read_sheet(kept.sheet)
    assert [(way.tenor, way.merchant_share_ppm) for way in sheet.ways] == [(3, share_ppm), (6, 0)]
    said = sheet.ways[0].carried.en if sheet.ways[0].carried else ""
    assert said.endswith(f"the merchant carries {share_ppm // 10_000}%" if share_ppm else "")
    assert (sheet.ways[0].total_cost_minor == 0) == (share_ppm == 1_000_000)
    assert {item.code for item in sheet.items} >= {"single", "instalments_3", "instalments_12"}, (
        "the line is for more than this order"
    )
    signed = await office.accept(person, view)
    payer = replace(person, line_id=decode(Prefix.LINE, signed.line or ""))
    for way in sheet.ways:
        parts = await executed(
            office, payer, 300_00, tenor=way.tenor, merchant_share_ppm=way.merchant_share_ppm
        )
        assert [(part.due_on, part.amount_minor) for part in parts] == [
            (part.due_on, part.amount_minor) for part in way.instalments
        ]


async def test_an_order_that_a_product_cannot_pay_has_the_sheet_of_its_limit(office: Office) -> None:
    purchase = Purchase(UUID(int=7), 300_00, Scene.RETAIL, (OrderWay(4, 0),))
    kept = await row(office, await office.apply(await office.house.person(), facts=QUIET, purchase=purchase))
    assert kept.sheet is not None
    sheet = read_sheet(kept.sheet)
    assert (sheet.basis, sheet.principal_minor) == ("limit", 1_000_00) and len(sheet.ways) > 1


async def test_signed_days_later_bills_keep_to_the_day_of_the_sheet(office: Office) -> None:
    house, person = office.house, await office.house.person()
    purchase = Purchase(UUID(int=7), 300_00, Scene.RETAIL)
    asked = {"product": "order_instalments", "mode": Mode.BILL, "purchase": purchase}
    view = await office.apply(person, facts=REGULAR, **asked)
    kept = await row(office, view)
    assert kept.sheet is not None
    await house.turn_to(house.on + timedelta(days=10))
    signed = await office.accept(person, view)
    payer = replace(person, line_id=decode(Prefix.LINE, signed.line or ""))
    line = await house.line(payer)
    assert line.bill_day == 3 and line.opened_on == date(2026, 9, 13)
    for way in read_sheet(kept.sheet).ways:
        if way.tenor > 1:
            parts = await executed(office, payer, 300_00, tenor=way.tenor)
            assert [part.due_on for part in parts] == [part.due_on for part in way.instalments]


async def test_two_people_have_two_prices_and_both_read_why(office: Office) -> None:
    house, people = office.house, [await office.house.person() for _ in range(2)]
    views = [
        await office.apply(one, facts=facts, language="en")
        for one, facts in zip(people, (QUIET, REGULAR), strict=True)
    ]
    told = [(view.grade, view.price.tier, view.price.name, view.price.text) for view in views if view.price]
    assert told == [
        ("D", "standard", "Standard", "Grade D gives this price list: Standard"),
        ("A", "preferred", "Preferred", "Grade A gives this price list: Preferred"),
    ]
    signed = [await office.accept(one, view) for one, view in zip(people, views, strict=True)]
    payers = [
        replace(one, line_id=decode(Prefix.LINE, view.line or ""))
        for one, view in zip(people, signed, strict=True)
    ]
    lines = [await house.line(payer) for payer in payers]
    assert [(line.tier, line.tier_name) for line in lines] == [
        ("standard", "Standard"),
        ("preferred", "Preferred"),
    ]
    drawn = []
    for payer in payers:
        await house.buy(payer, 600_00, tenor=3)
        ((draw,), *_) = [(await house.debt(payer)).draws]
        drawn.append(sum(draw.fee_parts))
    assert drawn == [15_00, 12_00]  # 2.5 % and 2 % of 600.00
    assert views[0].points != views[1].points and views[0].reasons


async def test_a_sheet_that_was_not_read_is_not_signed(office: Office) -> None:
    house, person, other = office.house, await office.house.person(), await office.house.person()
    view = await office.apply(person, facts=REGULAR)
    wrong = await office.refused(office.accepting(person, view, sheet_hash="0" * 64))
    assert (wrong.code, wrong.errors[0].pointer) == (Code.INVALID_FIELD, "/sheet_hash")
    stranger = replace(office.accepting(other, view), people=(other.id,))
    assert (await office.refused(stranger)).detail == "No such application."
    assert (await row(office, view)).status is ApplicationStatus.OFFERED
    signed = await asyncio.gather(*(house.send(office.accepting(person, view)) for _ in range(3)))
    assert sum(not isinstance(answer, Problem) for answer in signed) == 1, "a sheet is accepted once"
    again = await office.refused(office.applying(person))
    assert again.code is Code.STATE_CONFLICT, "the product gives one line"


async def test_an_offer_lapses(office: Office) -> None:
    house, person = office.house, await office.house.person()
    view = await office.apply(person, facts=REGULAR)
    last = house.on + timedelta(days=POLICY.offer.days)
    house.clock.turn_to(house.noon(last))
    refused = await office.refused(office.accepting(person, view))
    assert refused.code is Code.STATE_CONFLICT and "lapsed" in refused.detail
    later = await office.apply(person, facts=QUIET)
    assert later.id != view.id and later.status == "offered"
    (closed, *_) = (await house.turn_to(last + timedelta(days=POLICY.offer.days + 1)))[-1:]
    assert closed.steps["application_lapses"] in (0, 1)
    assert (await row(office, view)).status is ApplicationStatus.LAPSED
    assert (await row(office, later)).status is ApplicationStatus.LAPSED


async def test_too_many_declined_applications_wait(office: Office) -> None:
    person = await office.house.person()
    for _ in range(POLICY.admission.declined_max):
        view = await office.apply(person, age_years=17, facts=REGULAR)
        assert [reason.code for reason in view.reasons] == ["age_below_minimum"]
        assert (view.status, view.limit_minor, view.sheet) == ("declined", None, None)
    waits = await office.apply(person, facts=REGULAR)
    assert [(one.code, one.adverse_action) for one in waits.reasons] == [("too_many_applications", "C06")]


async def test_consents_and_products_are_asked_for(office: Office) -> None:
    person = await office.house.person()
    lacking = await office.refused(office.applying(person, consents=POLICY.consents[:1]))
    assert (lacking.code, lacking.errors[0].pointer) == (Code.INVALID_FIELD, "/consents")
    unknown = await office.refused(office.applying(person, product="gold"))
    assert unknown.errors[0].pointer == "/product"


async def test_what_is_referred_a_person_decides(office: Office) -> None:
    house, first, second = office.house, await office.house.person(), await office.house.person()
    async with house.database.transaction() as db:
        await db.execute("update person set tier = 1")
    thin = Facts(0, Habits(payments=3))
    views = [await office.apply(person, facts=thin) for person in (first, second)]
    assert [view.status for view in views] == ["referred", "referred"]

    def deciding(view: ApplicationView, person: UUID, limit_minor: int | None) -> credit.DecideReferred:
        id_ = decode(Prefix.APPLICATION, view.id)
        return credit.DecideReferred(
            at=house.at, people=(person,), application_id=id_, limit_minor=limit_minor
        )

    much = await office.refused(deciding(views[0], first.id, 6_000_000_00))
    assert much.errors[0].pointer == "/limit_minor"
    purchase = Purchase(UUID(int=7), 300_00, Scene.RETAIL)
    answer = await house.do(replace(deciding(views[0], first.id, 800_00), purchase=purchase))
    offered = msgspec.json.decode(answer.body, type=ApplicationView)
    sheet = (await row(office, offered)).sheet
    assert sheet is not None
    assert (read_sheet(sheet).basis, read_sheet(sheet).principal_minor) == ("order", 300_00)
    assert (offered.status, offered.limit_minor) == ("offered", 800_00)
    assert [step.code for step in offered.limit_steps] == ["staff"]
    assert (await office.accept(first, offered)).status == "accepted"
    answer = await house.do(deciding(views[1], second.id, None))
    declined = msgspec.json.decode(answer.body, type=ApplicationView)
    assert declined.status == "declined" and declined.reasons[-1].code == "declined_by_staff"
    assert (await office.refused(deciding(views[1], second.id, 800_00))).code is Code.STATE_CONFLICT


async def test_new_terms_ask_for_a_new_application(office: Office) -> None:
    house, person = office.house, await office.house.person()
    view = await office.apply(person, facts=REGULAR)
    product = house.products.current("monthly_bill", house.on)
    assert product is not None
    house.products.add([replace(product, version=product.version + 1)])
    refused = await office.refused(office.accepting(person, view))
    assert refused.code is Code.STATE_CONFLICT and "terms have changed" in refused.detail
    async with house.database.read() as db:
        assert await load_lines(db, house.bucket, [UUID(int=1)]) == {}


async def test_a_consent_is_taken_back_and_the_debt_stays(office: Office) -> None:
    house = office.house
    person = await house.person(wallet_minor=500_00)
    accepted = await office.accept(person, await office.apply(person, facts=REGULAR))
    payer = replace(person, line_id=decode(Prefix.LINE, accepted.line or ""))
    await house.buy(payer, 300_00)

    def taking(purpose: str, **more: object) -> credit.WithdrawConsent:
        return credit.WithdrawConsent(
            at=house.at,
            people=(person.id,),
            application_id=decode(Prefix.APPLICATION, accepted.id),
            purpose=purpose,
            **{"person_id": person.id, **more},  # type: ignore[arg-type]
        )

    unknown = await office.refused(taking("marketing"))
    assert (unknown.code, unknown.errors[0].pointer) == (Code.INVALID_FIELD, "/purpose")
    other = await house.person()
    assert (await office.refused(taking("bureau_query", person_id=other.id))).code is Code.NOT_FOUND
    first = msgspec.json.decode((await house.do(taking("bureau_query"))).body, type=ApplicationView)
    again = msgspec.json.decode((await house.do(taking("bureau_query"))).body, type=ApplicationView)
    assert first.consents == again.consents and first.status == "accepted"
    assert {one.purpose for one in first.consents if one.withdrawn_at is not None} == {"bureau_query"}
    assert await house.events("consent.withdrawn", "line.frozen") == [
        f"line.frozen {house.on}",
        f"consent.withdrawn {house.on}",
    ]
    refused = await house.send(house.buying(payer, 1_00))
    assert (refused.status, refused.body) == (402, b"line_frozen")  # type: ignore[union-attr]
    thawing = await office.refused(house.change(credit.Unfreeze, payer))
    assert thawing.code is Code.STATE_CONFLICT and "withdrawn a consent" in thawing.detail
    ending = await office.refused(house.change(credit.Freeze, payer, until_on=house.on + timedelta(days=1)))
    assert ending.code is Code.STATE_CONFLICT and "withdrawn a consent" in ending.detail
    assert (await row(office, accepted)).review_on is None
    await house.turn_to(house.on + timedelta(days=100))
    line = await house.line(payer)
    assert (line.status, line.used_minor) == ("frozen", 300_00) and line.billed_minor > 0
    assert await house.events("application.offered") == [f"application.offered {line.opened_on}"]
    await house.repay(payer)
    assert (await house.line(payer)).used_minor == 0
    await house.prove(payer)


async def test_an_application_that_waits_ends_with_its_consent(office: Office) -> None:
    person = await office.house.person()
    offered = await office.apply(person, facts=REGULAR)
    command = credit.WithdrawConsent(
        at=office.house.at,
        people=(person.id,),
        application_id=decode(Prefix.APPLICATION, offered.id),
        person_id=person.id,
        purpose="lender_sharing",
    )
    view = msgspec.json.decode((await office.house.do(command)).body, type=ApplicationView)
    assert view.status == "lapsed"
    assert (await office.refused(office.accepting(person, offered))).code is Code.STATE_CONFLICT
    fresh = await office.apply(person, facts=REGULAR)
    assert fresh.id != offered.id and fresh.status == "offered"
    assert all(one.withdrawn_at is None for one in fresh.consents)


async def test_a_line_is_opened_in_the_mode_that_was_asked_for(office: Office) -> None:
    house = office.house
    bill_days = {None: None, Mode.ORDER: None, Mode.BILL: house.on.day}
    sheets = []
    for mode, bill_day in bill_days.items():
        person = await house.person()
        view = await office.apply(person, product="order_instalments", facts=REGULAR, mode=mode)
        kept = await row(office, view)
        assert kept.sheet is not None
        assert view.mode is kept.mode is read_sheet(kept.sheet).mode is (mode or Mode.ORDER)
        signed = await office.accept(person, view)
        assert signed.line is not None
        line_id = decode(Prefix.LINE, signed.line)
        async with house.database.read() as db:
            line = (await load_lines(db, house.bucket, [line_id]))[line_id]
        assert line.bill_day == bill_day
        sheets.append(read_sheet(kept.sheet))
    assert [sheet.mode_text and sheet.mode_text.en.split(":")[0] for sheet in sheets] == [
        "Order by order",
        "Order by order",
        "By monthly bill",
    ]
    first_due = [[way.instalments[0].due_on for way in sheet.ways[:2]] for sheet in sheets]
    assert first_due[1:] == [[date(2026, 10, 3), date(2026, 10, 3)], [date(2026, 10, 12), date(2026, 10, 12)]]


async def test_a_mode_is_one_of_the_products(office: Office) -> None:
    problem = await office.refused(office.applying(await office.house.person(), mode=Mode.ORDER))
    assert problem.code is Code.INVALID_FIELD and problem.errors[0].pointer == "/mode"
    view = await office.apply(await office.house.person(), facts=REGULAR, mode=Mode.BILL)
    kept = await row(office, view)
    assert kept.sheet is not None and read_sheet(kept.sheet).mode is None, "there is no choice"
