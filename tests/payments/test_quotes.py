"""Offers, quotes and checkout sessions: prices with their annualised rate, and options that hold what they say."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec import to_builtins

from wufeng import ledger, payments
from wufeng.base.errors import Code, Problem
from wufeng.base.ids import Prefix, decode, encode
from wufeng.credit.lines.model import LineStatus
from wufeng.identity.merchants.model import Scene
from wufeng.identity.merchants.store import close_merchant
from wufeng.identity.people.model import Outcome
from wufeng.payments.checkout.asked import AskedOrders
from wufeng.payments.orders.model import OrderTerms
from wufeng.payments.quotes.model import Asked, QuoteOption, QuoteView
from wufeng.payments.quotes.rules import sheet_hash
from wufeng.payments.quotes.views import sheet_of
from wufeng.risk.model import Confirmation

from .conftest import Payer, Town


async def quote(
    town: Town, amount_minor: int, payer: Payer | None = None, order: OrderTerms | None = None, **more: Any
) -> QuoteView:
    asked = Asked(
        merchant_id=more.pop("merchant_id", town.merchant_id),
        order_id=order.id if order is not None else None,
        amount_minor=amount_minor,
        scene=more.pop("scene", Scene.RETAIL),
        payer_id=payer.id if payer is not None else None,
        shows_wallet=more.pop("shows_wallet", True),
        language="en",
    )
    found = None
    if order is not None:
        async with town.database.read() as db:
            found = await payments.find_order(db, town.book, order.id)
        assert found is not None, "only a stored order is quoted"
    return await payments.create_quote(
        town.database, town.ids, town.catalogue, town.merchants, town.book, asked, found, town.at
    )


async def use(town: Town, option: str, order: OrderTerms, payer: Payer) -> payments.Funding:
    async with town.database.read() as db:
        return await payments.funding_of_option(
            db, town.catalogue, town.book, option, order, payer.id, town.at
        )


async def stored(town: Town, terms: OrderTerms) -> OrderTerms:
    await town.ask(town.book.bucket_of(terms.id), payments.CreateOrder(at=town.at, terms=terms))
    return terms


async def test_offers_show_every_tenor_with_its_yearly_cost(town: Town) -> None:
    async with town.database.read() as db:
        found = await payments.list_offers(
            db, town.catalogue, town.merchants, town.book, town.merchant_id, 1_000_00, None, town.at, "en"
        )
        none = await payments.list_offers(
            db, town.catalogue, town.merchants, town.book, town.merchant_id, 1_000_00, Scene.LOTTERY,
            town.at, "en",
        )  # fmt: skip
    monthly = [o for o in found if o.name == "Monthly bill"]
    assert [(o.tenor, o.total_cost_minor) for o in monthly] == [
        (1, 0),
        (3, 25_00),
        (6, 45_00),
        (9, 65_00),
        (12, 88_00),
    ]
    # PRODUCTS.md 2: 14.94, 15.27, 15.34 and 15.86 % a year.
    assert [(o.annualised_rate_ppm + 50) // 100 for o in monthly] == [0, 14_94, 15_27, 15_34, 15_86]
    assert none == []


async def test_offers_are_of_every_product_that_pays_in_the_scene(town: Town) -> None:
    async def products(scene: Scene) -> list[str]:
        async with town.database.read() as db:
            found = await payments.list_offers(
                db,
                town.catalogue,
                town.merchants,
                town.book,
                town.merchant_id,
                1_000_00,
                scene,
                town.at,
                "en",
            )
        return sorted({offer.product.partition("@")[0] for offer in found})

    everywhere = ["daily_interest", "monthly_bill", "order_instalments", "pay_in_four"]
    assert await products(Scene.RETAIL) == everywhere
    assert await products(Scene.EDUCATION) == [*everywhere, "study_now"], "it pays schools only"


async def test_a_payer_sees_the_products_of_their_own_lines_only(town: Town) -> None:
    [payer] = await town.people()
    seen = await quote(town, 1_000_00, payer)
    assert {option.product for option in seen.options} == {None, "monthly_bill@1"}


async def test_a_payer_sees_wallet_line_and_split(town: Town) -> None:
    [payer] = await town.people(wallet_minor=300_00)
    seen = await quote(town, 1_000_00, payer)
    kinds = [tuple((f.kind, f.amount_minor) for f in option.funding) for option in seen.options]
    assert kinds[0] == (("wallet", 1_000_00),)
    assert [option.tenor for option in seen.options] == [None, 1, 3, 6, 9, 12, 1, 3, 6, 9, 12]
    assert kinds[6] == (("wallet", 300_00), ("line", 700_00))
    wallet, line = seen.options[0], seen.options[2]
    assert (wallet.available, wallet.reasons[0].code) == (False, "insufficient_balance")
    assert line.available and line.late_terms is not None and line.lenders[0].share_ppm == 1_000_000
    assert sum(part.amount_minor for part in line.instalments) == 1_000_00 + line.total_cost_minor
    assert line.late_terms.annualised_rate_ppm == 182_500
    rich = await quote(town, 100_00, payer)
    assert rich.options[0].available and len(rich.options) == 6, "what the wallet covers is not split"


async def test_a_merchant_does_not_learn_what_is_in_a_wallet(town: Town) -> None:
    [payer] = await town.people(wallet_minor=300_00)
    seen = await quote(town, 1_000_00, payer, shows_wallet=False)
    assert {f.kind for option in seen.options for f in option.funding} == {"line"}


@pytest.mark.parametrize(
    ("people", "amount_minor", "more", "reason"),
    [
        ({"limit_minor": 999_99}, 1_000_00, {}, "limit_exceeded"),
        ({"status": LineStatus.FROZEN}, 1_000_00, {}, "line_frozen"),
        ({}, 1_000_00, {"scene": Scene.LOTTERY}, "scene_forbidden"),
    ],
)
async def test_an_option_says_why_it_is_closed(
    town: Town, people: dict[str, Any], amount_minor: int, more: dict[str, Any], reason: str
) -> None:
    [payer] = await town.people(**people)
    options = (await quote(town, amount_minor, payer, **more)).options[1:]
    assert options and not any(option.available for option in options)
    assert {option.reasons[0].code for option in options} == {reason}


async def test_what_nobody_can_pay_is_quoted_to_nobody(town: Town) -> None:
    """Its checkout page says so too: paid, held by somebody's payment, or closed by its merchant."""
    [payer] = await town.people()
    paid, held, closed = [await stored(town, town.terms(number, 1_000_00)) for number in ("o1", "o2", "o3")]
    await town.pay(payer, "o1", 1_000_00)
    await town.pay(payer, "o2", 1_000_00, capture=payments.Capture.LATER)
    close = payments.MoveOrder(
        at=town.at, order_id=closed.id, merchant_id=town.merchant_id, to=payments.OrderState.CLOSED
    )
    assert (await town.ask(town.book.bucket_of(closed.id), close))[0] == 200
    for order, code in ((paid, Code.ORDER_TAKEN), (held, Code.ORDER_TAKEN), (closed, Code.STATE_CONFLICT)):
        for whom in (payer, None):
            with pytest.raises(Problem) as problem:
                await quote(town, 1_000_00, whom, order)
            assert problem.value.code is code


async def test_what_stops_everybody_stops_those_nobody_knows(town: Town) -> None:
    [payer] = await town.people()
    shop = await town.open_shop()
    expiring = town.terms("o1", 1_000_00, expires_at=town.at + timedelta(minutes=1))
    await stored(town, expiring)
    town.clock.turn_to(town.at + timedelta(minutes=5))
    async with town.database.transaction() as db:
        assert await close_merchant(db, town.book.id, shop, town.at)
    town.merchants.forget(shop)
    late, gone = {"order": expiring}, {"merchant_id": shop}
    for more, reason in ((late, "order_expired"), (gone, "merchant_closed")):
        for whom in (payer, None):
            options = (await quote(town, 1_000_00, whom, **more)).options
            assert options and {option.reasons[0].code for option in options[-4:]} == {reason}
            assert not any(option.available for option in options)


async def test_an_option_is_paid_at_the_price_that_was_shown(town: Town) -> None:
    [payer] = await town.people()
    seen = await quote(town, 1_000_00, payer)
    option = next(option for option in seen.options if option.tenor == 6)
    order = town.terms("o1", 1_000_00)
    funding = await use(town, option.id, order, payer)
    status, body = await town.pay(payer, "o1", 1_000_00, funding=funding)
    assert status == 201
    [source] = body["funding"]
    assert source["annualised_rate_ppm"] == option.annualised_rate_ppm
    assert [part["amount_minor"] for part in source["instalments"]] == [
        part.amount_minor for part in option.instalments
    ]


async def split_of_twelve(town: Town, payer: Payer) -> QuoteOption:
    """1,000.00 in twelve, what the wallet holds first."""
    options = (await quote(town, 1_000_00, payer)).options
    return next(option for option in options if option.tenor == 12 and len(option.funding) == 2)


BALANCE = payments.Funding(use_wallet=True, line_id=None)


async def test_the_balance_that_was_shown_is_paid_or_nothing_is(town: Town) -> None:
    [payer] = await town.people(wallet_minor=900_00)
    option = await split_of_twelve(town, payer)
    assert (option.funding[0].amount_minor, option.total_cost_minor) == (900_00, 8_80)
    await town.pay(payer, "else", 890_00, funding=BALANCE)
    funding = await use(town, option.id, town.terms("o1", 1_000_00), payer)
    status, body = await town.pay(payer, "o1", 1_000_00, funding=funding)
    assert (status, body["reasons"][0]["code"]) == (402, "insufficient_balance")
    assert await town.balance(payer.line_id, ledger.AccountKind.LINE_PRINCIPAL) == 0

    await town.fill(payer, 1_500_00)
    status, body = await town.pay(payer, "o1", 1_000_00, funding=funding)
    assert (status, [source["amount_minor"] for source in body["funding"]]) == (201, [900_00, 100_00])
    assert sum(part["fee_minor"] for part in body["funding"][1]["instalments"]) == option.total_cost_minor


async def test_who_is_asked_once_more_pays_the_parts_that_were_shown(town: Town) -> None:
    [payer] = await town.people(wallet_minor=900_00, outcome=Outcome.STEP_UP)
    option = await split_of_twelve(town, payer)
    funding = await use(town, option.id, town.terms("o1", 1_000_00), payer)
    _, body = await town.pay(payer, "o1", 1_000_00, funding=funding, confirmation=Confirmation.SESSION)
    assert body["status"] == "requires_action"
    await town.pay(payer, "else", 10_00, funding=BALANCE)
    _, body = await town.confirm(payer, body)
    assert [reason["code"] for reason in body["reasons"]] == ["insufficient_balance"]


async def change_line(town: Town, payer: Payer, **columns: object) -> None:
    async with town.database.transaction() as db:
        for name, value in columns.items():
            await db.execute(f"update line set {name} = $2 where id = $1", payer.line_id, value)


@pytest.mark.parametrize("other", [{"tier": "preferred"}, {"due_day": 20}])
async def test_a_quote_for_nobody_is_not_paid_at_another_price_or_on_other_dates(
    town: Town, other: dict[str, object]
) -> None:
    [payer] = await town.people()
    order = town.terms("o1", 1_000_00)
    option = next(o for o in (await quote(town, 1_000_00)).options if o.tenor == 12)
    assert option.product == "monthly_bill@1"
    assert (await use(town, option.id, order, payer)).line_id == payer.line_id
    await change_line(town, payer, **other)
    with pytest.raises(Problem, match="other prices or dates"):
        await use(town, option.id, order, payer)
    own = next(o for o in (await quote(town, 1_000_00, payer)).options if o.tenor == 12)
    assert (own.total_cost_minor, own.instalments) != (option.total_cost_minor, option.instalments)
    assert (await use(town, own.id, order, payer)).line_id == payer.line_id


async def test_a_quote_of_the_payer_ends_when_their_due_day_moves(town: Town) -> None:
    [payer] = await town.people()
    options = (await quote(town, 1_000_00, payer)).options
    await change_line(town, payer, due_day=20)
    with pytest.raises(Problem, match="other prices or dates"):
        await use(town, options[1].id, town.terms("o1", 1_000_00), payer)
    assert (await use(town, options[0].id, town.terms("o1", 1_000_00), payer)) == BALANCE


async def test_a_quote_ends_with_the_day_where_the_next_one_has_other_dates(town: Town) -> None:
    """What is drawn on the 30th stands on the bill of 1 October, what is drawn on the 1st on that of November."""
    [payer] = await town.people(wallet_minor=1_000_00)
    midnight = town.book.start_of(date(2026, 10, 1))
    town.clock.turn_to(midnight - timedelta(minutes=5))
    seen = await quote(town, 1_000_00, payer)
    assert seen.expires_at == midnight
    assert seen.options[1].instalments[0].due_on == date(2026, 10, 10)
    town.clock.turn_to(midnight)
    with pytest.raises(Problem, match="expired"):
        await use(town, seen.options[1].id, town.terms("o1", 1_000_00), payer)
    again = await quote(town, 1_000_00, payer)
    assert again.options[1].instalments[0].due_on == date(2026, 11, 10)
    assert (await quote(town, 1_000_00)).expires_at == town.at + timedelta(minutes=15)


async def test_an_option_is_held_to_what_it_was_made_for(town: Town) -> None:
    payer, other = await town.people(2)
    order = town.terms("o1", 1_000_00)
    option = (await quote(town, 1_000_00, payer)).options[1].id
    assert (await use(town, option, order, payer)).line_id == payer.line_id
    wrong = [
        (option, town.terms("o1", 1_000_01), payer),
        (option, town.terms("o1", 1_000_00, scene=Scene.HOTEL), payer),
        (option, town.terms("o1", 1_000_00, merchant_id=UUID(int=9)), payer),
        (option, order, other),
        (option.replace(".2", ".0"), order, payer),
        (option.replace(".2", ".99"), order, payer),
        (option.replace(".2", ".02"), order, payer),
        (encode(Prefix.QUOTE, town.ids.new(town.at, 5)) + ".1", order, payer),
        ("nonsense", order, payer),
    ]
    for text, terms, person in wrong:
        with pytest.raises(Problem) as refused:
            await use(town, text, terms, person)
        assert refused.value.code is Code.INVALID_FIELD
        assert refused.value.errors[0].pointer == "/quote_option"
    town.turn(minutes=15)
    with pytest.raises(Problem, match="expired"):
        await use(town, option, order, payer)


async def test_a_quote_for_nobody_becomes_the_payers_own_line(town: Town) -> None:
    [payer] = await town.people()
    order = await stored(town, town.terms("o1", 1_000_00))
    seen = await quote(town, 1_000_00, None, order)
    monthly = [option for option in seen.options if option.product == "monthly_bill@1"]
    other = next(option for option in seen.options if option.product == "pay_in_four@1")
    assert [option.tenor for option in monthly] == [1, 3, 6, 9, 12]
    funding = await use(town, monthly[1].id, order, payer)
    assert (funding.line_id, funding.tenor) == (payer.line_id, 3)
    with pytest.raises(Problem, match="another order"):
        await use(town, monthly[1].id, town.terms("o2", 1_000_00), payer)
    lineless = Payer(town.ids.new(town.at, 1), payer.wallet_id, payer.line_id, payer.bucket)
    for option, person in ((monthly[1], lineless), (other, payer)):
        with pytest.raises(Problem, match="no line"):
            await use(town, option.id, order, person)


async def test_the_same_sheet_has_the_same_hash_and_another_has_not(town: Town) -> None:
    [payer] = await town.people()
    first, again = await quote(town, 1_000_00, payer), await quote(town, 1_000_00, payer)
    assert first.id != again.id and first.sheet_hash == again.sheet_hash
    assert first.sheet_hash == sheet_hash(sheet_of(first))
    assert (await quote(town, 1_000_01, payer)).sheet_hash != first.sheet_hash
    sheet = sheet_of(first)
    sheet["expires_at"] = "later"
    assert sheet_hash(sheet) != first.sheet_hash
    assert to_builtins(first)["options"], "what is hashed is what is shown"


async def test_who_is_not_there_gets_no_quote(town: Town) -> None:
    with pytest.raises(Problem, match="no such merchant"):
        await quote(town, 1_000_00, merchant_id=UUID(int=9))
    ghost = Payer(town.ids.new(town.at, 1), UUID(int=1), UUID(int=1), 0)
    with pytest.raises(Problem, match="no such person"):
        await quote(town, 1_000_00, ghost)


async def open_checkout(town: Town, order: OrderTerms, **more: Any) -> payments.CheckoutView:
    new = payments.NewSession(
        merchant_id=more.pop("merchant_id", town.merchant_id),
        order_id=order.id,
        return_url="https://shop.example/done",
        **more,
    )
    return await payments.create_checkout(
        town.database, town.ids, town.catalogue, town.merchants, town.book, new, town.at
    )


async def test_a_checkout_session_binds_tenors_and_who_carries_the_fee(town: Town) -> None:
    [payer] = await town.people()
    order = await stored(town, town.terms("o1", 1_000_00))
    page = await open_checkout(town, order, tenors=(6, 3), merchant_fee_share_ppm=1_000_000)
    assert (page.status, page.tenors, page.url) == ("open", (3, 6), f"/checkout/{page.id}")
    seen = await quote(town, 1_000_00, payer, order)
    options = [option for option in seen.options if option.tenor]
    assert [(option.tenor, option.total_cost_minor) for option in options] == [(3, 0), (6, 0)]
    free = payments.Funding(use_wallet=False, line_id=payer.line_id, tenor=6)
    asked = AskedOrders(town.database)
    bound = await payments.bind_funding(asked, town.book, order.id, free, town.at)
    with pytest.raises(Problem, match="offers tenors"):
        other = payments.Funding(False, payer.line_id, 12)
        await payments.bind_funding(asked, town.book, order.id, other, town.at)
    assert bound.merchant_share_ppm == 1_000_000
    assert bound == await use(town, options[1].id, order, payer)
    status, body = await town.pay(payer, "o1", 1_000_00, funding=bound)
    assert (status, body["funding"][0]["instalments"][0]["fee_minor"]) == (201, 0)
    assert await town.payable() == 1_000_00 - 6_00 - 45_00
    again = await payments.expire_checkout(
        town.database, town.book, decode(Prefix.CHECKOUT_SESSION, page.id), town.merchant_id, town.at
    )
    assert again.status == "complete"


async def test_a_quote_of_an_amount_does_not_leave_the_checkout_of_the_order(town: Town) -> None:
    [payer] = await town.people()
    order = await stored(town, town.terms("o1", 1_000_00))
    options = {option.tenor: option.id for option in (await quote(town, 1_000_00, payer)).options}
    for option in options.values():
        await use(town, option, order, payer)
    await open_checkout(town, order, tenors=(1, 3))
    for tenor in (6, 9, 12):
        with pytest.raises(Problem, match="offers tenors 1, 3"):
            await use(town, options[tenor], order, payer)
    assert (await use(town, options[3], order, payer)).tenor == 3, "the same price"

    town.turn(seconds=1)  # the newest page binds
    await open_checkout(town, order, tenors=(1, 3), merchant_fee_share_ppm=1_000_000)
    with pytest.raises(Problem, match="other prices"):
        await use(town, options[3], order, payer)
    assert (await use(town, options[1], order, payer)).tenor == 1, "it has no fee to be carried"
    assert (await use(town, options[None], order, payer)) == BALANCE


async def test_a_share_ends_with_the_page_that_gave_it(town: Town) -> None:
    [payer] = await town.people()
    order = await stored(town, town.terms("o1", 1_000_00))
    page = await open_checkout(town, order, tenors=(3,), merchant_fee_share_ppm=1_000_000)
    option = (await quote(town, 1_000_00, payer, order)).options[1]
    assert (await use(town, option.id, order, payer)).merchant_share_ppm == 1_000_000
    session_id = decode(Prefix.CHECKOUT_SESSION, page.id)
    await payments.expire_checkout(town.database, town.book, session_id, town.merchant_id, town.at)
    with pytest.raises(Problem, match="other prices"):
        await use(town, option.id, order, payer)


async def test_an_ended_session_binds_nothing(town: Town) -> None:
    order = await stored(town, town.terms("o1", 1_000_00))
    page = await open_checkout(town, order, tenors=(3,))
    session_id = decode(Prefix.CHECKOUT_SESSION, page.id)
    with pytest.raises(Problem, match="No such"):
        await payments.expire_checkout(town.database, town.book, session_id, UUID(int=9), town.at)
    ended = await payments.expire_checkout(town.database, town.book, session_id, town.merchant_id, town.at)
    assert ended.status == "expired"
    options = (await quote(town, 1_000_00, None, order)).options
    assert [option.tenor for option in options if option.product == "monthly_bill@1"] == [1, 3, 6, 9, 12]


async def test_pages_that_are_not_opened(town: Town) -> None:
    [payer] = await town.people()
    order = await stored(town, town.terms("o1", 1_000_00))
    refused: list[tuple[dict[str, Any], str]] = [
        ({"tenors": (5,)}, "/tenors/0"),
        ({"merchant_fee_share_ppm": 1_000_001}, "/merchant_fee_share_ppm"),
        ({"merchant_id": UUID(int=9)}, "/order"),
    ]
    for more, pointer in refused:
        with pytest.raises(Problem) as problem:
            await open_checkout(town, order, **more)
        assert problem.value.errors[0].pointer == pointer
    await town.pay(payer, "o1", 1_000_00)
    with pytest.raises(Problem) as problem:
        await open_checkout(town, order)
    assert problem.value.code is Code.ORDER_TAKEN
