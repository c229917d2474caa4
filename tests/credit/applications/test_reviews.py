"""Monthly reviews: a cut takes effect with its reasons, a raise is offered and signed, each once a bill day."""

from datetime import date, timedelta

from msgspec.structs import replace
from tests.credit.applications.conftest import POLICY, QUIET, REGULAR, Office
from tests.credit.conftest import Payer

from wufeng import credit
from wufeng.base.ids import Prefix, decode
from wufeng.credit.applications import store
from wufeng.credit.applications.model import (
    ApplicationKind,
    ApplicationStatus,
    Facts,
    Habits,
    LineReview,
    ReviewOutcome,
)
from wufeng.credit.applications.papers import read_sheet
from wufeng.credit.applications.queries import show_application
from wufeng.credit.lines.model import Actor, ChangeKind
from wufeng.credit.lines.store import load_changes
from wufeng.credit.products.model import Mode
from wufeng.credit.repayments.model import Target


async def reviews(office: Office, payer: Payer) -> list[LineReview]:
    """A line's reviews, the oldest first."""
    assert payer.line_id is not None
    async with office.house.database.read() as db:
        return (await store.list_reviews(db, office.house.bucket, payer.line_id, None, 100))[::-1]


async def test_a_line_is_reviewed_once_on_each_bill_day(office: Office) -> None:
    payer = await office.opened(await office.house.person(), REGULAR)
    await office.house.turn_to(date(2026, 12, 2))
    found = await reviews(office, payer)
    assert [one.reviewed_on for one in found] == [date(2026, 10, 1), date(2026, 11, 1), date(2026, 12, 1)]
    assert {one.outcome for one in found} == {ReviewOutcome.KEPT}
    assert (await office.house.close(date(2026, 12, 1))) == [], "closed already"


async def test_a_cut_takes_effect_and_says_why(office: Office) -> None:
    house, payer = office.house, await office.opened(await office.house.person(), REGULAR)
    office.facts[payer.id] = QUIET
    await house.turn_to(date(2026, 10, 2))
    (review,) = await reviews(office, payer)
    assert (review.outcome, review.before_minor, review.limit_minor) == (
        ReviewOutcome.LOWERED,
        22_000_00,
        1_000_00,
    )
    assert (await house.line(payer)).limit_minor == 1_000_00
    async with house.database.read() as db:
        change = (await load_changes(db, house.bucket, payer.line_id))[-1]
    assert (change.kind, change.actor) == (ChangeKind.LIMIT_SET, Actor.SYSTEM)
    assert change.reason.startswith("review of 2026-10-01: ") and "spending_low" in change.reason


async def test_a_frozen_person_keeps_the_limit(office: Office) -> None:
    house, payer = office.house, await office.opened(await office.house.person(), REGULAR)
    async with house.database.transaction() as db:
        await db.execute("update person set status = 'frozen' where id = $1", payer.id)
    await house.turn_to(date(2026, 10, 2))
    (review,) = await reviews(office, payer)
    assert review.inputs.frozen and review.outcome is ReviewOutcome.KEPT
    assert (await house.line(payer)).limit_minor == 22_000_00


async def test_other_products_that_were_declined_cut_no_line(office: Office) -> None:
    house, payer = office.house, await office.opened(await office.house.person(), REGULAR)
    for _ in range(POLICY.admission.declined_max):
        asked = await office.apply(payer, facts=replace(REGULAR, bank_accounts=0), product="daily_interest")
        assert asked.status == "declined"
    await house.turn_to(date(2026, 10, 2))
    (review,) = await reviews(office, payer)
    assert (review.inputs.declined, review.outcome) == (POLICY.admission.declined_max, ReviewOutcome.KEPT)
    assert (await house.line(payer)).limit_minor == 22_000_00


async def test_a_raise_shows_the_plans_of_the_lines_own_mode(office: Office) -> None:
    house, person = office.house, await office.house.person()
    asked = {"product": "order_instalments", "mode": Mode.BILL}
    payer = await office.opened(person, QUIET, **asked)
    office.facts[payer.id] = REGULAR
    await house.turn_to(date(2026, 12, 31))
    await house.buy(payer, 500_00)
    await house.turn_to(date(2027, 1, 4))
    offer_id = (await reviews(office, payer))[-1].application_id
    assert offer_id is not None
    async with house.database.read() as db:
        offer = (await store.load_applications(db, house.bucket, [offer_id]))[offer_id]
    assert offer.sheet is not None and offer.mode is read_sheet(offer.sheet).mode is Mode.BILL


async def test_a_raise_is_offered_signed_and_kept(office: Office) -> None:
    house, payer = office.house, await office.opened(await office.house.person(5_000_00), QUIET)
    office.facts[payer.id] = REGULAR
    await house.do(house.change(credit.SetDueDay, payer, due_day=20))
    await house.turn_to(date(2026, 12, 31))
    await house.buy(payer, 500_00)
    await house.turn_to(date(2027, 1, 2))
    *earlier, review = await reviews(office, payer)
    assert {one.outcome for one in earlier} == {ReviewOutcome.KEPT}, "not used before"
    assert (review.outcome, review.limit_minor) == (ReviewOutcome.OFFERED, 1_000_00)
    assert (await house.line(payer)).limit_minor == 1_000_00, "nobody owes more than they signed for"
    assert review.application_id is not None
    async with house.database.read() as db:
        found = (await store.load_applications(db, house.bucket, [review.application_id]))[
            review.application_id
        ]
        view = show_application(house.reading(db), found, POLICY, house.at)
    assert (view.kind, view.status, view.limit_minor) == (ApplicationKind.RAISE, "offered", 1_500_00)
    assert found.sheet is not None
    assert {way.instalments[0].due_on.day for way in read_sheet(found.sheet).ways} == {20}, "the line's own"
    assert view.limit_steps[-1].code == "raise_max"
    accepted = await office.accept(payer, view)
    assert accepted.line is not None and decode(Prefix.LINE, accepted.line) == payer.line_id
    assert (await house.line(payer)).limit_minor == 1_500_00
    await house.repay(payer, Target.ALL)
    await house.turn_to(date(2027, 2, 2))
    assert [one.reviewed_on for one in (await reviews(office, payer))[-2:]] == [
        date(2027, 1, 1),
        date(2027, 2, 1),
    ]
    await house.prove(payer)


async def test_no_raise_is_offered_that_the_product_does_not_give(office: Office) -> None:
    house, payer = office.house, await office.opened(await office.house.person(5_000_00), QUIET)
    await house.do(house.change(credit.SetLimit, payer, Actor.PERSON, limit_minor=300_00))
    office.facts[payer.id] = REGULAR
    await house.turn_to(date(2026, 12, 31))
    await house.buy(payer, 200_00)
    await house.turn_to(date(2027, 1, 2))
    found = await reviews(office, payer)
    assert {(one.outcome, one.application_id) for one in found} == {(ReviewOutcome.KEPT, None)}


async def test_a_raise_that_nobody_signs_lapses(office: Office) -> None:
    house, payer = office.house, await office.opened(await office.house.person(), QUIET)
    office.facts[payer.id] = REGULAR
    await house.turn_to(date(2026, 12, 31))
    await house.buy(payer, 500_00)
    await house.turn_to(date(2027, 1, 1) + timedelta(days=POLICY.offer.days + 1))
    review = (await reviews(office, payer))[-1]
    assert review.application_id is not None
    async with house.database.read() as db:
        found = (await store.load_applications(db, house.bucket, [review.application_id]))[
            review.application_id
        ]
    assert found.status is ApplicationStatus.LAPSED
    assert (await house.line(payer)).limit_minor == 1_000_00


async def test_a_line_in_arrears_waits_and_a_closed_one_is_left_alone(office: Office) -> None:
    house = office.house
    late = await office.opened(await house.person(5_000_00), QUIET)
    gone = await office.opened(await house.person(), QUIET)
    await house.do(house.change(credit.CloseLine, gone))
    await house.buy(late, 300_00)
    await house.turn_to(date(2026, 11, 2))
    assert [one.reviewed_on for one in await reviews(office, late)] == [date(2026, 10, 1)], "suspended since"
    assert await reviews(office, gone) == []
    await house.repay(late, Target.ALL)
    await house.turn_to(date(2026, 12, 2))
    (_, second) = await reviews(office, late)
    assert second.inputs.suspensions == 1 and not second.inputs.in_arrears
    assert replace(second.inputs, suspensions=0).tier == 3


async def test_lines_that_staff_opened_are_theirs_to_change(office: Office) -> None:
    payer = await office.house.payer(limit_minor=5_000_000)
    await office.house.turn_to(date(2026, 11, 2))
    assert await reviews(office, payer) == []
    assert (await office.house.line(payer)).limit_minor == 5_000_000


SPENDING = Facts(1, Habits(payments=40, paid_minor=12_000_00, scenes=5))
"""Of whom no income is known: 3,000.00 in all is what they are taken to be able to repay."""


async def test_what_staff_open_beside_a_line_cuts_it_at_no_review(office: Office) -> None:
    """What can be repaid is lent once, and the first line has it: who lends more beside it knew of it."""
    house, person = office.house, await office.house.person(5_000_00)
    payer = await office.opened(person, SPENDING)
    assert (await house.line(payer)).limit_minor == 3_000_00
    await house.do(house.open_line(person, 3_000_00, product="order_instalments"))
    await house.turn_to(date(2026, 12, 31))
    await house.buy(payer, 1_500_00)
    await house.turn_to(date(2027, 1, 2))
    found = await reviews(office, payer)
    assert {one.outcome for one in found} == {ReviewOutcome.KEPT}, (
        "old enough and used, but nothing is left to raise it"
    )
    assert {one.inputs.others_minor for one in found} == {0}
    assert (await house.line(payer)).limit_minor == 3_000_00
    office.facts[payer.id] = QUIET
    await house.repay(payer, Target.ALL)
    await house.turn_to(date(2027, 2, 2))
    assert (await house.line(payer)).limit_minor == 1_000_00, "what became worse of the person cuts as ever"


async def test_what_staff_offered_is_cut_only_where_something_became_worse(office: Office) -> None:
    house, person = office.house, await office.house.person()
    await office.opened(person, SPENDING)
    office.facts[person.id] = SPENDING
    declined = await office.apply(person, product="order_instalments")
    assert [reason.code for reason in declined.reasons] == ["affordability"]
    wanted = decode(Prefix.APPLICATION, declined.id)
    at, people = house.at, (person.id,)
    await house.do(credit.ReferApplication(at=at, people=people, application_id=wanted, person_id=person.id))
    await house.do(credit.DecideReferred(at=at, people=people, application_id=wanted, limit_minor=2_000_00))
    async with house.database.read() as db:
        kept = (await store.load_applications(db, house.bucket, [wanted]))[wanted]
        view = show_application(house.reading(db), kept, POLICY, house.at)
    line = (await office.accept(person, view)).line
    assert line is not None
    second = replace(person, line_id=decode(Prefix.LINE, line))
    await house.turn_to(date(2026, 11, 4))
    found = await reviews(office, second)
    assert len(found) == 2 and {one.outcome for one in found} == {ReviewOutcome.KEPT}
    assert (await house.line(second)).limit_minor == 2_000_00
