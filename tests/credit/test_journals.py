"""The journals of a line's whole life with two lenders: at every turn each lender has its share of what there is."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.credit.conftest import MERCHANT as BUYS_AT
from tests.credit.conftest import TWO_LENDERS, House, Payer, make_house, shipped
from tests.credit.history.lives import (
    LENDERS,
    LINE,
    WALLET,
    Afterwards,
    Clerk,
    Plot,
    Step,
    afterwards,
    changed,
    live_with,
    plot_of,
    plots,
    told,
)
from tests.thorough import THOROUGH, examples

from wufeng.base.database import Database
from wufeng.base.errors import Problem
from wufeng.credit import journals
from wufeng.credit.charge_offs.rules import Lost
from wufeng.credit.debts.issuing import IssuedBill
from wufeng.credit.draws.model import Approved
from wufeng.credit.history.model import Drawn, Event, Owed, Repaid, Standing
from wufeng.credit.history.model import Refunded as LateRefund
from wufeng.credit.history.rules import fold
from wufeng.credit.products.model import Early
from wufeng.credit.refunds.model import Kept, Refunded
from wufeng.credit.repayments.model import Debt, Source, Spread, Target
from wufeng.ledger import rules as ledger
from wufeng.ledger.model import AccountKind, Cause, Journal, Parts, Posted, account_id
from wufeng.lenders.model import WHOLE_PPM, Shares

MERCHANT = UUID(int=4)
AT = datetime(2026, 1, 1, tzinfo=UTC)
BY_LENDER = (
    AccountKind.LENDER_PRINCIPAL,
    AccountKind.UNEARNED_SUBSIDY,
    AccountKind.CHARGED_OFF_CONTRA,
)


class Accountant(Clerk):
    """A clerk who posts what the commands post. balances: of every account that was moved."""

    def __init__(self, plot: Plot, shares: Shares) -> None:
        super().__init__(plot)
        self.opened = self.line = replace(self.line, lenders=shares)
        self.balances: dict[UUID, int] = {}
        self.of: dict[UUID, list[Journal]] = {}

    def decided(self, what: object, of: UUID) -> None:
        cause = Cause(of, "CNY", self.on, 1)
        match what:
            case Approved():
                self.post(self._of_draw(cause, what))
            case IssuedBill():
                self.post(*journals.journals_of_issue(cause, self.line, what))
            case Lost():
                self.post(*journals.journals_of_charge_off(cause, what))
            case Refunded():
                self.post(self._of_refund(cause, what), *journals.journals_after_refund(what, cause))
            case Kept():
                back_minor = what.applied.paid_minor + what.applied.surplus_minor
                gone = ledger.credit_balance_to_bank(cause, LINE, back_minor)
                self.post(replace(gone, amounts=tuple(-amount for amount in gone.amounts)))
                self.post(*journals.journals_of_kept(what, cause))
            case (Source() as source, Spread() as spread, Debt() as debt):
                self.post(*self._of_repayment(cause, source, spread, debt))
            case _:
                raise AssertionError(what)

    def _of_draw(self, cause: Cause, approved: Approved) -> Journal:
        subsidy = ledger.split_between(approved.plan.subsidy_minor, approved.lenders)
        return ledger.credit_payment(cause, LINE, journals.principal_drawn(approved), MERCHANT, 0, subsidy)

    def _of_refund(self, cause: Cause, refunded: Refunded) -> Journal:
        return ledger.refund(
            cause,
            MERCHANT,
            LINE,
            journals.principal_refunded(refunded),
            credit_balance_minor=refunded.surplus_minor,
            subsidy_returned=journals.subsidy_refunded(refunded),
        )

    def _of_repayment(self, cause: Cause, source: Source, spread: Spread, debt: Debt) -> list[Journal]:
        if self.is_lost:
            return journals.journals_of_recovery(cause, self.line, source, spread, debt.billed_minor)
        return journals.journals_of_repayment(cause, self.line, source, spread, debt.principal_minor)

    def post(self, *posted: Journal) -> None:
        for journal in posted:
            self.of.setdefault(journal.of, []).append(journal)
            for account, amount_minor in zip(journal.accounts, journal.amounts, strict=True):
                self.balances[account] = self.balances.get(account, 0) + amount_minor

    def balance(self, owner: UUID, kind: AccountKind) -> int:
        return self.balances.get(account_id(owner, kind), 0)

    def retell_all(self, changes: Sequence[Afterwards]) -> None:
        for change in changes:
            events = changed(self, change)
            if events is not None:
                self.retell(events)
                self.check()
                self.check_earned()

    def retell(self, events: list[Event]) -> None:
        """Post what a story told otherwise moves, as the command does whose money is the difference."""
        before = fold(self.opened, self.events, self.versions, self.on)
        try:
            after = fold(self.opened, events, self.versions, self.on)
        except Problem:
            return
        news = [one for one in events if one not in self.events]
        gone = [one for one in self.events if one not in events]
        match news, gone:
            case [Repaid() as late], []:
                self.post(*self._of_late(Cause(late.repayment_id, "CNY", self.on, 1), before, after))
            case [], [Repaid() as bounced]:
                self.post(*self._of_reversal(Cause(bounced.repayment_id, "CNY", self.on, 1), before, after))
            case [LateRefund() as late], []:
                self.post(*self._of_late_refund(late, before, after))
                back_minor = after.charged.subsidy_returned_minor - before.charged.subsidy_returned_minor
                told_now = replace(late, subsidy_returned_minor=back_minor)
                events = [told_now if one is late else one for one in events]
                check_undone(events, told_now)
            case _:
                raise AssertionError((news, gone))
        self.events = events
        self.take_over(after)

    def _of_late(self, cause: Cause, before: Standing, after: Standing) -> list[Journal]:
        return [
            *journals.journals_of_correction(cause, self.line, before, after),
            *journals.journals_of_loss_correction(cause, self.line, before, after),
            journals.journal_of_late_repayment(cause, self.line, WALLET, before, after),
            *journals.journals_of_recovery_correction(cause, self.line, before, after),
        ]

    def _of_reversal(self, cause: Cause, before: Standing, after: Standing) -> list[Journal]:
        posted = [Posted(bucket=1, seq=n, at=AT, journal=one) for n, one in enumerate(self.of[cause.of])]
        money = [one for one in posted if journals.moves_its_money(self.line, one)]
        return [
            *journals.journals_of_correction(cause, self.line, before, after),
            *journals.journals_of_loss_correction(cause, self.line, before, after),
            *journals.journals_of_reversal(cause, self.line, money, before, after),
        ]

    def _of_late_refund(self, late: LateRefund, before: Standing, after: Standing) -> list[Journal]:
        cause = Cause(late.refund_id, "CNY", self.on, 1)
        legs = journals.legs_of_late_refund(cause, self.line, late.amount_minor, before, after, ())
        own = ledger.refund(
            cause, MERCHANT, LINE, legs.principal, legs.credit_balance_minor, subsidy_returned=legs.subsidy
        )
        return [*legs.before, own, *legs.after]

    def check(self) -> None:
        """The line's accounts are what its rows say, and each lender's are its shares of it."""
        principal = sum(bill.unpaid_principal_minor for bill in self.bills.values())
        principal += sum(draw.unbilled_minor for draw in self.draws.values())
        interest = sum(bill.unpaid_interest_minor for bill in self.bills.values())
        fees = sum(bill.unpaid_fee_minor for bill in self.bills.values())
        owed, lost = (
            ((0, 0, 0), principal + interest + fees) if self.is_lost else ((principal, interest, fees), 0)
        )
        assert owed == (
            self.balance(LINE, AccountKind.LINE_PRINCIPAL),
            self.balance(LINE, AccountKind.LINE_INTEREST),
            self.balance(LINE, AccountKind.LINE_FEE),
        )
        assert self.balance(LINE, AccountKind.LINE_CHARGED_OFF) == lost
        assert self.balance(LINE, AccountKind.LINE_CREDIT_BALANCE) == -self.credit_minor
        assert self.by_lender(AccountKind.LENDER_PRINCIPAL) == self.shares_of(owed[0])
        unearned = [draw.unearned_minor for draw in self.draws.values()]
        assert self.by_lender(AccountKind.UNEARNED_SUBSIDY) == self.shares_of(*unearned)
        assert self.by_lender(AccountKind.CHARGED_OFF_CONTRA) == self.shares_of(lost)

    def check_earned(self) -> None:
        """Each lender has earned what the history that was posted has charged for it, whatever was told before."""
        standing = fold(self.opened, self.events, self.versions, self.on)
        charged = standing.charged
        assert self.by_lender(AccountKind.INTEREST_INCOME) == self.parts_of(charged.interest)
        assert self.by_lender(AccountKind.INSTALMENT_FEE_INCOME) == self.fees_of(standing)
        assert self.balance_of_losses() == self.losses_of(standing)
        assert self.cancelled() == self.parts_of(standing.lost_cancelled)

    def balance_of_losses(self) -> list[int]:
        """What each lender has lost of charges."""
        return [self.balance(lender, AccountKind.CREDIT_LOSS) for lender, _ in self.line.lenders]

    def losses_of(self, standing: Standing) -> list[int]:
        """What a charge-off of what is lost in a history takes of charges from each lender."""
        lost = standing.lost or Owed()
        whole = ledger.split_between(lost.total_minor, self.line.lenders)
        principal = ledger.split_between(lost.principal_minor, self.line.lenders)
        return [all_minor - of_it for (_, all_minor), (_, of_it) in zip(whole, principal, strict=True)]

    def cancelled(self) -> list[int]:
        """By lender, what nobody has paid of losses: with it, what came into the pool is what went out of the rest."""
        kinds = (
            AccountKind.LENDER_POOL,
            AccountKind.LENDER_PRINCIPAL,
            AccountKind.CHARGED_OFF_CONTRA,
            AccountKind.CREDIT_LOSS,
        )
        return [sum(self.balance(lender, kind) for kind in kinds) for lender, _ in self.line.lenders]

    def fees_of(self, standing: Standing) -> list[int]:
        """What lenders have earned of fees: of persons, and of merchants what is neither unearned nor back."""
        bought = [event.draw.unearned_minor for event in self.events if isinstance(event, Drawn)]
        paid, unearned = self.shares_of(*bought), self.by_lender(AccountKind.UNEARNED_SUBSIDY)
        back, fees = self.parts_of(standing.charged.subsidy_returned), self.parts_of(standing.charged.fee)
        return [sum((fees[n], paid[n], -unearned[n], -back[n])) for n in range(len(fees))]

    def parts_of(self, parts: Parts) -> list[int]:
        """Amounts by lender, in the order of the line's lenders."""
        of = dict(parts)
        return [of.get(lender, 0) for lender, _ in self.line.lenders]

    def by_lender(self, kind: AccountKind) -> list[int]:
        return [-self.balance(lender, kind) for lender, _ in self.line.lenders]

    def shares_of(self, *amounts_minor: int) -> list[int]:
        """What each lender owns of amounts that are split each by itself."""
        splits = [ledger.split_between(amount, self.line.lenders) for amount in amounts_minor]
        return [sum(split[place][1] for split in splits) for place in range(len(self.line.lenders))]


def check_undone(events: Sequence[Event], undo: LateRefund) -> None:
    """Of a draw of which an undo has left nothing the merchant has all back that it had paid ahead."""
    of_it = [
        one
        for one in events
        if isinstance(one, LateRefund) and not set(undo.draw_ids).isdisjoint(one.draw_ids)
    ]
    if undo.undone and all(one.draw_ids == undo.draw_ids for one in of_it):
        draws = [one.draw for one in events if isinstance(one, Drawn) and one.draw.id in undo.draw_ids]
        returned_minor = sum(one.subsidy_returned_minor or 0 for one in of_it)
        assert returned_minor == sum(draw.unearned_minor for draw in draws)


def shares() -> st.SearchStrategy[Shares]:
    """What two lenders may have of a line."""
    (lead, _), (second, _) = LENDERS
    return st.integers(1, WHOLE_PPM - 1).map(lambda ppm: ((lead, ppm), (second, WHOLE_PPM - ppm)))


def keep_accounts(plot: Plot, of: Shares) -> Accountant:
    """The accountant at the end of a life, which came out right after each day."""
    accountant = Accountant(plot, of)
    for _ in live_with(accountant, plot):
        accountant.check()
    accountant.check_earned()
    return accountant


THROUGH = {
    "derandomize": not THOROUGH,
    "phases": [Phase.explicit, Phase.generate] if THOROUGH else list(Phase),
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow],
}


@settings(max_examples=examples(150, 10_000), **THROUGH)
@given(plots(), shares(), st.lists(afterwards(), max_size=3))
def test_each_lender_has_its_share_at_every_turn(
    plot: Plot, of: Shares, changes: Sequence[Afterwards]
) -> None:
    note(told(plot) + "\n" + "\n".join(map(str, changes)))
    keep_accounts(plot, of).retell_all(changes)


def subsidised() -> st.SearchStrategy[Plot]:
    """Instalments of which merchants carry a part or all: billed, paid, settled, refunded or lost, to their end."""
    amounts, carried = st.integers(1_000, 9_999), st.sampled_from([6, 7, 9, 10])
    buy = st.builds(Step, st.integers(0, 3), st.just("buy"), amounts, carried)
    what = ("to_bill", "to_bill", "pay_billed", "pay_quarter", "pay_all", "settle", "refund", "refund_all")
    then = st.builds(Step, st.integers(0, 9), st.sampled_from(what), amounts, st.integers(0, 11))
    to_the_end = [Step(0, "to_bill", 0, number) for number in (0, 1)] * 13
    return st.builds(
        lambda buys, steps, early, days: plot_of(
            "monthly_bill",
            *(*buys, *steps, *to_the_end),
            instalments={"early": early},
            arrears={"charge_off_after_days": days},
        ),
        st.lists(buy, min_size=1, max_size=3),
        st.lists(st.one_of(buy, then, then), max_size=8),
        st.sampled_from(Early),
        st.sampled_from([None, 30, 60]),
    )


@settings(max_examples=examples(100, 5_000), **THROUGH)
@given(subsidised(), shares(), st.lists(afterwards(), max_size=3))
def test_what_is_unearned_comes_to_nothing_for_each_lender(
    plot: Plot, of: Shares, changes: Sequence[Afterwards]
) -> None:
    """Rounded month by month, it would stand at +2 for one and at -2 for the other when all is billed. Told otherwise
    plans may go on.
    """
    note(told(plot) + "\n" + "\n".join(map(str, changes)))
    accountant = keep_accounts(plot, of)
    assert accountant.by_lender(AccountKind.UNEARNED_SUBSIDY) == [0, 0]
    accountant.retell_all(changes)


@pytest.mark.parametrize("opened_on", [date(2026, 9, 3)])
async def test_unearned_subsidy_of_two_lenders_comes_to_nothing_by_the_close(house: House) -> None:
    payer = await house.payer(wallet_minor=500_000)
    await house.buy(payer, 1_130, tenor=6, merchant_share_ppm=WHOLE_PPM)
    for month in range(10, 17):
        await house.turn_to(date(2026 + (month - 1) // 12, (month - 1) % 12 + 1, 2))
        if (await house.line(payer)).billed_minor:
            await house.repay(payer, Target.BILLED)
    await house.prove(payer)
    for lender, _ in (await house.debt(payer)).line.lenders:
        assert await house.folded(lender, AccountKind.UNEARNED_SUBSIDY) == 0
        assert await house.folded(lender, AccountKind.INSTALMENT_FEE_INCOME) < 0


@pytest.mark.parametrize("tenor", [1, 3])
async def test_nobody_has_earned_from_a_purchase_that_is_undone(house: House, tenor: int) -> None:
    """Each of five bills was split by itself; the whole of what they had charged, split once, would leave +4 and -4."""
    payer = await house.payer(wallet_minor=900_000, limit_minor=400_000)
    payment = await house.buy(payer, 33_337, tenor=tenor)
    for month in (10, 11, 12, 13, 14):
        await house.turn_to(date(2026 + month // 13, (month - 1) % 12 + 1, 2))
        await house.repay(payer, 3_001)
    await house.refund_late(payer, payment, 33_337, date(2026, 9, 3), undone=True)
    await house.prove(payer)
    for lender, _ in (await house.debt(payer)).line.lenders:
        for kind in (AccountKind.INTEREST_INCOME, AccountKind.INSTALMENT_FEE_INCOME):
            assert await house.folded(lender, kind) == 0, kind


OPENED_ON = date(2026, 9, 3)
CARRIED = (AccountKind.INSTALMENT_FEE_INCOME, AccountKind.UNEARNED_SUBSIDY)


@pytest.fixture
async def odd(database: Database, opened_on: date) -> AsyncIterator[House]:
    """A house whose lenders share everything at odds."""
    made = await make_house(database, opened_on, source=at_odds("monthly_bill"))
    yield made
    await made.lanes.drain()


def at_odds(product: str) -> str:
    source = shipped(product).source
    shared = TWO_LENDERS.replace("700_000", "666_667").replace("300_000", "333_333")
    return source[: source.index("[[lenders]]")] + shared


async def carried_by(house: House, payer: Payer) -> list[list[int]]:
    """What each lender has earned of fees that a merchant carries, and what it has to come."""
    await house.prove(payer)
    lenders = (await house.debt(payer)).line.lenders
    return [[await house.folded(lender, kind) for lender, _ in lenders] for kind in CARRIED]


@pytest.mark.parametrize("amount_minor", [30_000, 25_001, 33_333])
async def test_lenders_share_a_subsidy_that_goes_back_late_as_one_that_goes_back_in_time(
    odd: House, amount_minor: int
) -> None:
    """Split by themselves, late refunds left one lender +1 and the other -1 before anybody had earned anything."""
    payer = await odd.payer(wallet_minor=900_000, limit_minor=400_000)
    payment = await odd.buy(payer, 100_003, tenor=3, merchant_share_ppm=WHOLE_PPM)
    for _ in (1, 2):
        await odd.refund(payer, payment, amount_minor)
    earned, timely = await carried_by(odd, payer)
    assert earned == [0, 0]

    payment = await odd.buy(payer, 100_003, tenor=3, merchant_share_ppm=WHOLE_PPM)
    for days in (0, 1):
        value_on = OPENED_ON + timedelta(days=days)
        await odd.turn_to(value_on + timedelta(days=1))
        assert not isinstance(await odd.refund_late(payer, payment, amount_minor, value_on), Problem)
    assert await carried_by(odd, payer) == [[0, 0], [2 * minor for minor in timely]]


@pytest.mark.parametrize("share_ppm", [WHOLE_PPM, WHOLE_PPM // 2])
@pytest.mark.parametrize("amount_minor", [30_000, 25_001, 33_333])
async def test_an_undo_leaves_the_merchant_and_lenders_nothing_of_a_subsidy(
    odd: House, amount_minor: int, share_ppm: int
) -> None:
    """A part of it was refunded in time: the months of the rest alone are cut in another order."""
    payer = await odd.payer(wallet_minor=900_000, limit_minor=400_000)
    payment = await odd.buy(payer, 100_003, tenor=3, merchant_share_ppm=share_ppm)
    await odd.turn_to((await odd.line(payer)).next_bill_on)
    await odd.refund(payer, payment, amount_minor)
    await odd.turn_to(odd.on + timedelta(days=5))
    await odd.refund_late(payer, payment, 100_003 - amount_minor, OPENED_ON, undone=True)
    assert await carried_by(odd, payer) == [[0, 0], [0, 0]]
    assert await odd.folded(BUYS_AT, AccountKind.MERCHANT_PAYABLE) == 0


@pytest.mark.parametrize("amount_minor", [10_000, 14_000, 18_001])
async def test_two_purchases_that_are_undone_leave_lenders_nothing_of_their_subsidies(
    odd: House, amount_minor: int
) -> None:
    """Both were settled, so all was earned: given back as one amount, 210 are split as 105 and 105 are not."""
    payer = await odd.payer(wallet_minor=900_000, limit_minor=400_000)
    payments = []
    for _ in (1, 2):
        payments.append(await odd.buy(payer, amount_minor, tenor=3, merchant_share_ppm=WHOLE_PPM // 2))
        await odd.repay(payer, Target.ALL)
    await odd.refund(payer, payments[1], 304)
    for payment, left_minor in zip(payments, (amount_minor, amount_minor - 304), strict=True):
        await odd.refund_late(payer, payment, left_minor, OPENED_ON, undone=True)
    assert await carried_by(odd, payer) == [[0, 0], [0, 0]]
    assert await odd.folded(BUYS_AT, AccountKind.MERCHANT_PAYABLE) == 0


@pytest.mark.parametrize("tenor", [1, 3])
async def test_nobody_has_lost_from_a_purchase_that_is_undone(odd: House, tenor: int) -> None:
    """Charged off, and two recoveries: its interest and fees were split from another debt than the loss was."""
    payer = await odd.payer(wallet_minor=900_000, limit_minor=400_000)
    payment = await odd.buy(payer, 33_337, tenor=tenor)
    while not (await odd.debt(payer)).line.charged_off_on:
        await odd.turn_to(odd.on + timedelta(days=14))
    for repaid_minor in (10_001, 5_003):
        await odd.repay(payer, repaid_minor)
    await odd.refund_late(payer, payment, 33_337, OPENED_ON, undone=True)
    await odd.prove(payer)
    for lender, _ in (await odd.debt(payer)).line.lenders:
        for kind in OF_LOSSES:
            assert await odd.folded(lender, kind) == 0, kind


OF_LOSSES = (AccountKind.CREDIT_LOSS, AccountKind.CHARGED_OFF_CONTRA, AccountKind.LENDER_PRINCIPAL)
