"""Offers that were made, and what has changed until they are signed: terms, consents, orders, lines, conditions."""

import asyncio
from datetime import date
from typing import Any
from uuid import UUID

import msgspec
import pytest
from msgspec.structs import replace
from tests.credit.applications.conftest import POLICY, QUIET, REGULAR, Office
from tests.credit.conftest import Payer

from wufeng import credit
from wufeng.base.errors import Code, Problem
from wufeng.base.ids import Prefix, decode
from wufeng.credit.applications import store
from wufeng.credit.applications.commands import handlers
from wufeng.credit.applications.model import (
    Application,
    ApplicationKind,
    ApplicationStatus,
    Facts,
    Habits,
    Purchase,
)
from wufeng.credit.applications.papers import read_sheet
from wufeng.credit.applications.queries import show_application
from wufeng.credit.applications.views import ApplicationView
from wufeng.credit.products.model import Mode
from wufeng.identity.merchants.model import Scene


async def row(office: Office, view: ApplicationView) -> Application:
    async with office.house.database.read() as db:
        id_ = decode(Prefix.APPLICATION, view.id)
        return (await store.load_applications(db, office.house.bucket, [id_]))[id_]


async def referred(office: Office, payer: Payer, **more: Any) -> ApplicationView:
    """An application that waits for a person, as its applicant asked."""
    view = await office.apply(payer, age_years=17, **more)
    command = credit.ReferApplication(
        at=office.house.at,
        people=(payer.id,),
        application_id=decode(Prefix.APPLICATION, view.id),
        person_id=payer.id,
    )
    return msgspec.json.decode((await office.house.do(command)).body, type=ApplicationView)


def deciding(
    office: Office, payer: Payer, view: ApplicationView, limit_minor: int | None
) -> credit.DecideReferred:
    return credit.DecideReferred(
        at=office.house.at,
        people=(payer.id,),
        application_id=decode(Prefix.APPLICATION, view.id),
        limit_minor=limit_minor,
    )


async def test_who_may_not_sign_the_old_terms_is_offered_the_new(office: Office) -> None:
    house, person = office.house, await office.house.person()
    view = await office.apply(person, facts=REGULAR)
    product = house.products.current("monthly_bill", house.on)
    assert product is not None
    house.products.add([replace(product, version=product.version + 1)])
    assert (await office.refused(office.accepting(person, view))).code is Code.STATE_CONFLICT
    again = await office.apply(person, facts=REGULAR)
    assert again.id != view.id and (await row(office, again)).product_version == product.version + 1
    assert (await row(office, view)).status is ApplicationStatus.LAPSED
    assert (await office.accept(person, again)).status == "accepted"


async def test_what_was_referred_is_offered_on_the_terms_of_that_day(office: Office) -> None:
    house, person = office.house, await office.house.person()
    view = await referred(office, person)
    product = house.products.current("monthly_bill", house.on)
    assert product is not None
    house.products.add([replace(product, version=product.version + 1)])
    assert (await office.apply(person)).id == view.id, "it keeps its place"
    answer = await house.do(deciding(office, person, view, 800_00))
    offered = msgspec.json.decode(answer.body, type=ApplicationView)
    kept = await row(office, offered)
    assert kept.product_version == product.version + 1
    assert kept.sheet is not None and read_sheet(kept.sheet).product_version == product.version + 1
    assert (await office.accept(person, offered)).status == "accepted"


async def test_an_offer_of_another_order_or_mode_gives_way(office: Office) -> None:
    person = await office.house.person()

    def purchase(number: int) -> Purchase:
        return Purchase(UUID(int=number), number * 100_00, Scene.RETAIL)

    asked = {"product": "order_instalments", "facts": REGULAR}
    seen = [await office.apply(person, purchase=purchase(7), mode=Mode.ORDER, **asked)]
    for number, mode in ((8, Mode.ORDER), (8, Mode.BILL), (None, Mode.BILL)):
        more = purchase(number) if number else None
        seen.append(await office.apply(person, purchase=more, mode=mode, **asked))
        kept = await row(office, seen[-1])
        assert kept.order_id == (UUID(int=number) if number else None) and kept.mode is mode
        assert kept.sheet is not None and read_sheet(kept.sheet).basis == ("order" if number else "limit")
        assert (await row(office, seen[-2])).status is ApplicationStatus.LAPSED
    assert len({view.id for view in seen}) == 4
    assert (await office.refused(office.accepting(person, seen[0]))).code is Code.STATE_CONFLICT
    assert (await office.accept(person, seen[-1])).status == "accepted"


async def test_what_a_person_looks_at_is_named_to_who_asks_for_something_else(office: Office) -> None:
    person = await office.house.person()
    view = await referred(office, person)
    purchase = Purchase(UUID(int=8), 100_00, Scene.RETAIL)
    refused = await office.refused(office.applying(person, purchase=purchase))
    assert refused.code is Code.STATE_CONFLICT and refused.extra == {"application": view.id}
    assert (await row(office, view)).status is ApplicationStatus.REFERRED


async def test_what_has_to_be_agreed_to_since_is_agreed_to(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    house, person, other = office.house, await office.house.person(), await office.house.person()
    *before, last = POLICY.consents
    asked = {"facts": REGULAR, "consents": tuple(before)}
    with monkeypatch.context() as patch:
        for command, handler in handlers(house.products, replace(POLICY, consents=tuple(before))).items():
            patch.setitem(house.lanes.handlers, command, handler)
        view, waiting = await office.apply(person, **asked), await referred(office, other, **asked)
    refused = await office.refused(office.accepting(person, view))
    assert refused.code is Code.STATE_CONFLICT and "agreed to" in refused.detail
    undecided = await office.refused(deciding(office, other, waiting, 800_00))
    assert undecided.code is Code.STATE_CONFLICT and last.purpose in undecided.detail
    again = await office.apply(person, facts=REGULAR)
    assert again.id != view.id and (await row(office, again)).consents == POLICY.consents
    assert (await office.accept(person, again)).status == "accepted"
    declined = await office.house.do(deciding(office, other, waiting, None))
    assert msgspec.json.decode(declined.body, type=ApplicationView).status == "declined"


async def test_what_can_be_repaid_is_lent_once(office: Office) -> None:
    person = await office.house.person()
    facts = Facts(1, Habits(payments=40, paid_minor=12_000_00, scenes=5))
    view = await office.apply(person, facts=facts)
    assert (view.limit_minor, view.limit_steps[-1].code) == (3_000_00, "affordability")
    await office.accept(person, view)
    second = await office.apply(person, facts=facts, product="order_instalments")
    assert [reason.code for reason in second.reasons] == ["affordability"]


async def test_two_offers_at_once_are_not_both_signed(office: Office) -> None:
    house, person = office.house, await office.house.person()
    facts = Facts(1, Habits(payments=40, paid_minor=12_000_00, scenes=5))
    products = ("monthly_bill", "order_instalments")
    views = [await office.apply(person, facts=facts, product=product) for product in products]
    assert [view.limit_minor for view in views] == [3_000_00, 3_000_00]
    answers = await asyncio.gather(*(house.send(office.accepting(person, view)) for view in views))
    (refused,) = [answer for answer in answers if isinstance(answer, Problem)]
    assert refused.code is Code.STATE_CONFLICT and "too much by now" in refused.detail
    assert sorted([(await row(office, view)).status for view in views]) == ["accepted", "lapsed"]


async def test_what_staff_opened_since_counts_to_what_one_person_may_hold(office: Office) -> None:
    house, person, other = office.house, await office.house.person(), await office.house.person()
    rich = Facts(1, Habits(payments=400, paid_minor=900_000_00, scenes=5, inflow_minor=900_000_00))
    view, waiting = await office.apply(person, facts=rich), await referred(office, other)
    assert view.limit_minor == 50_000_00
    for one in (person, other):
        await house.do(house.open_line(one, 180_000_00, product="order_instalments"))
    refused = await office.refused(office.accepting(person, view))
    assert refused.code is Code.STATE_CONFLICT and "too much by now" in refused.detail
    assert (await office.apply(person, facts=rich)).limit_minor == 20_000_00
    much = await office.refused(deciding(office, other, waiting, 20_000_01))
    assert much.errors[0].pointer == "/limit_minor" and "2000000 minor units are left" in much.detail
    answer = await house.do(deciding(office, other, waiting, 20_000_00))
    offered = msgspec.json.decode(answer.body, type=ApplicationView)
    assert (await office.accept(other, offered)).status == "accepted", "staff see further than the policy"


async def test_conditions_hold_when_the_offer_is_signed(office: Office) -> None:
    person = await office.house.person()
    view = await office.apply(person, facts=REGULAR, product="daily_interest")
    refused = await office.refused(office.accepting(person, view, bank_accounts=0))
    assert refused.code is Code.STATE_CONFLICT and "bank_account_missing" in refused.detail
    assert (await office.accept(person, view)).status == "accepted", "once it is there again"


async def raised(office: Office, payer: Payer) -> ApplicationView:
    """An offer to raise a line of 1,000.00 to 1,500.00, as a review has made it."""
    house = office.house
    office.facts[payer.id] = REGULAR
    await house.turn_to(date(2026, 12, 31))
    await house.buy(payer, 500_00)
    await house.turn_to(date(2027, 1, 2))
    async with house.database.read() as db:
        found = await store.load_open(
            db, house.bucket, payer.id, "monthly_bill", ApplicationKind.RAISE, payer.line_id
        )
        assert found is not None and found.limit_minor == 1_500_00
        return show_application(house.reading(db), found, POLICY, house.at)


async def raise_offered(office: Office) -> tuple[Payer, ApplicationView]:
    """A line of 1,000.00 whose raise is offered."""
    payer = await office.opened(await office.house.person(5_000_00), QUIET)
    return payer, await raised(office, payer)


@pytest.mark.parametrize("limit_minor", [8_000_00, 500_00])
async def test_a_raise_undoes_no_limit_that_was_set_since(office: Office, limit_minor: int) -> None:
    house, (payer, offer) = office.house, await raise_offered(office)
    await house.do(house.change(credit.SetLimit, payer, limit_minor=limit_minor, reason="risk"))
    refused = await office.refused(office.accepting(payer, offer))
    assert refused.code is Code.STATE_CONFLICT and "set anew" in refused.detail
    assert (await house.line(payer)).limit_minor == limit_minor
    assert (await row(office, offer)).status is ApplicationStatus.LAPSED


async def test_a_raise_waits_while_its_line_is_frozen(office: Office) -> None:
    house, (payer, offer) = office.house, await raise_offered(office)
    await house.do(house.change(credit.Freeze, payer, reason="risk"))
    refused = await office.refused(office.accepting(payer, offer))
    assert refused.code is Code.STATE_CONFLICT and "frozen" in refused.detail
    await house.do(house.change(credit.Unfreeze, payer, reason="looked at"))
    await office.accept(payer, offer)
    assert (await house.line(payer)).limit_minor == 1_500_00


async def test_a_raise_is_no_more_than_one_person_may_hold(office: Office) -> None:
    house, (payer, offer) = office.house, await raise_offered(office)
    await house.do(house.open_line(payer, 199_000_00, product="order_instalments"))
    refused = await office.refused(office.accepting(payer, offer))
    assert refused.code is Code.STATE_CONFLICT and "too much by now" in refused.detail
    assert (await house.line(payer)).limit_minor == 1_000_00


async def test_an_old_line_is_raised_by_the_prices_of_the_day_and_its_own_contract(office: Office) -> None:
    house = office.house
    first = house.products.current("monthly_bill", house.on)
    assert first is not None
    payer = await office.opened(await house.person(5_000_00), QUIET)
    prices = tuple(
        price if price.tenor == 1 else replace(price, fee_ppm=30_000) for price in first.instalments.prices
    )
    second = replace(
        first,
        version=first.version + 1,
        instalments=replace(first.instalments, prices=prices),
        interest=replace(first.interest, late_daily_ppm=600),
        lenders=(replace(first.lenders[0], share_ppm=1_000_000),),
    )
    house.products.add([second])
    offer = await raised(office, payer)
    kept = await row(office, offer)
    assert kept.product_version == second.version and kept.sheet is not None
    sheet = read_sheet(kept.sheet)
    assert [way.total_cost_minor for way in sheet.ways if way.tenor == 3] == [45_00]  # 3 % of 1,500.00
    late = {item.code: item.annualised_rate_ppm for item in sheet.contingent}["late"]
    assert late == first.interest.late_daily_ppm * 365
    assert [one.share_ppm for one in sheet.lenders] == [one.share_ppm for one in first.lenders]
    await office.accept(payer, offer)
    assert (await house.line(payer)).limit_minor == 1_500_00
