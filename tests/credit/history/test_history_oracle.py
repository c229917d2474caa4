"""Any life of a line, by the engine and by an oracle that counts day by day: the same books, below the fen too."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.credit.history.lives import (
    DAY,
    LINE,
    SCENES,
    Afterwards,
    Clerk,
    Plot,
    Step,
    afterwards,
    changed,
    live,
    live_with,
    lived,
    plot_of,
    plots,
    sent_back,
    told,
)
from tests.credit.history.oracle import Oracle, Purchase, Statement
from tests.credit.history.products import product
from tests.thorough import THOROUGH, examples

from wufeng.base.errors import Problem
from wufeng.credit.accruals.rules import accrued_micro, interest_to_bill
from wufeng.credit.bills.model import Bill, BillStatus
from wufeng.credit.debts.rules import brings_a_bill
from wufeng.credit.draws.model import Draw
from wufeng.credit.history.model import BillSplit as Split
from wufeng.credit.history.model import (
    ChargedOff,
    Event,
    Issued,
    Refunded,
    Repaid,
    SentBack,
    Standing,
)
from wufeng.credit.history.rules import fold
from wufeng.credit.journals import moved_between
from wufeng.credit.lines.model import LineStatus
from wufeng.credit.products.dates import Dates, Every
from wufeng.credit.products.model import (
    BillableAt,
    Billing,
    BillSplit,
    Early,
    Method,
    Mode,
    Part,
    Price,
    Product,
    Rest,
)


@settings(
    max_examples=examples(300, 10_000),
    derandomize=not THOROUGH,
    phases=[Phase.explicit, Phase.generate] if THOROUGH else list(Phase),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(plots())
def test_any_history_comes_out_as_the_oracle_says(plot: Plot) -> None:
    note(told(plot))
    live_beside_the_oracle(plot)


@settings(
    max_examples=examples(150, 10_000),
    derandomize=not THOROUGH,
    phases=[Phase.explicit, Phase.generate] if THOROUGH else list(Phase),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(plots(), st.lists(afterwards(), min_size=1, max_size=4))
def test_any_history_told_otherwise_comes_out_as_the_oracle_says(
    plot: Plot, changes: Sequence[Afterwards]
) -> None:
    """Money dated back over bills, plans, refunds and losses, and money that bounces: the oracle hears the same story
    from its beginning, in the order of dates."""
    note(told(plot) + "\n" + "\n".join(map(str, changes)))
    retell_beside_the_oracle(plot, changes)


@settings(
    max_examples=examples(40, 4_000),
    derandomize=not THOROUGH,
    phases=[Phase.explicit, Phase.generate],
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(
    plots(8, (*SCENES, ("pay_all",), ("to_bill", "pay_billed"))),
    st.integers(20_000, 120_000),
    st.lists(st.integers(0, 400), min_size=4, max_size=4),
)
def test_what_a_late_refund_has_sent_back_is_there_or_is_owed(
    plot: Plot, minor: int, numbers: list[int]
) -> None:
    """Repayments bounce after what they had left over went back: so much of the refund has not lowered the debt."""
    refunded, *bounced = numbers
    changes = [Afterwards(minor, refunded, is_refund=True), *(Afterwards(0, number) for number in bounced)]
    note(told(plot) + "\n" + "\n".join(map(str, changes)))
    retell_beside_the_oracle(plot, changes)


def steps_of(*what: str) -> st.SearchStrategy[list[Step]]:
    """Steps within a week of one another; what is bought has no instalments."""
    amounts, days = st.integers(10_000, 120_000), st.integers(0, 6)
    one = {name: st.builds(Step, days, st.just(name), amounts, st.integers(0, 11)) for name in set(what)}
    one["buy"] = st.builds(Step, days, st.just("buy"), amounts)
    one["to_bill"] = st.just(Step(0, "to_bill", 1, 1))
    one["split"] = st.builds(Step, st.just(0), st.just("split"), st.just(1), st.sampled_from([3, 3, 3, 7, 1]))
    return st.tuples(*(one[name] for name in what)).map(list)


def splittable(plot: Plot) -> Plot:
    """A plot whose bills may be put into instalments."""
    split = BillSplit(1_000)
    return replace(
        plot,
        product=replace(plot.product, instalments=replace(plot.product.instalments, bills=split)),
        later=tuple(replace(one, instalments=replace(one.instalments, bills=split)) for one in plot.later),
    )


REFUNDED = st.builds(Afterwards, st.integers(20_000, 120_000), st.integers(0, 400), st.just(True))
BOUNCED = st.builds(Afterwards, st.just(0), st.integers(0, 400))
CAME = st.builds(Afterwards, st.integers(1_000, 120_000), st.integers(0, 400))


@settings(
    max_examples=examples(40, 4_000),
    derandomize=not THOROUGH,
    phases=[Phase.explicit, Phase.generate],
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(
    plots(0).filter(lambda plot: plot.mode is Mode.BILL).map(splittable),
    st.one_of(
        steps_of("buy", "pay_all"),
        steps_of("buy", "buy", "pay_all"),
        steps_of("buy", "pay", "pay_all", "buy"),
        steps_of("buy", "pay_all", "refund_all", "buy"),
        steps_of("buy", "buy", "pay_all", "refund", "refund_fault"),
    ),
    st.one_of(
        st.tuples(REFUNDED, BOUNCED),
        st.tuples(REFUNDED, CAME, BOUNCED),
        st.tuples(BOUNCED, REFUNDED, BOUNCED),
    ),
    st.one_of(
        steps_of("buy", "to_bill", "split"),
        steps_of("to_bill", "split", "pay"),
        steps_of("buy", "to_bill", "split", "buy", "to_bill", "split"),
    ),
    st.lists(st.one_of(CAME, CAME, BOUNCED, REFUNDED), min_size=2, max_size=4),
)
def test_a_plan_keeps_uncovered_what_it_has_taken_over(
    plot: Plot,
    steps: list[Step],
    first: Sequence[Afterwards],
    further: list[Step],
    then: Sequence[Afterwards],
) -> None:
    """Money that covers what had gone back after all, after a plan was made of the debt, stands in favour."""
    plot = replace(plot, steps=(*plot.steps, *steps))
    note("\n".join([told(plot), *map(str, [*first, *further, *then])]))
    retell_and_live_on(plot, first, further, then)


def retell_and_live_on(
    plot: Plot, first: Sequence[Afterwards], steps: Sequence[Step], then: Sequence[Afterwards]
) -> Clerk:
    """Tell a story otherwise, live on with what has come of it, and tell all of it otherwise again."""
    clerk = lived(plot)
    tell_otherwise(plot, clerk, first)
    for _ in live_with(clerk, replace(plot, steps=tuple(steps))):
        pass
    compare_fold(fold_of(clerk), clerk)
    tell_otherwise(plot, clerk, then)
    return clerk


def retell_beside_the_oracle(plot: Plot, changes: Sequence[Afterwards]) -> None:
    """Live a plot, tell its story otherwise, fold it, and compare it with what the oracle makes of it."""
    tell_otherwise(plot, lived(plot), changes)


def tell_otherwise(plot: Plot, clerk: Clerk, changes: Sequence[Afterwards]) -> None:
    """Tell a story that was lived otherwise, beside the oracle; the clerk takes over what comes of it."""
    for change in changes:
        events = changed(clerk, change)
        if events is None:
            continue
        standing = folded_or_refused(clerk, events)
        if standing is None:
            continue
        assert_all_money_is_somewhere(clerk.events, fold_of(clerk), events, standing)
        if change.is_refund and change.minor:
            events = sent_back(clerk, events, standing)
            standing = fold(clerk.opened, events, clerk.versions, clerk.on)
        clerk.events = events
        clerk.take_over(standing)
        oracle = heard_by_the_oracle(plot, clerk)
        compare_rows(oracle, clerk)
        compare_charged(oracle, standing)


def heard_by_the_oracle(plot: Plot, clerk: Clerk) -> Oracle:
    """The oracle that has heard a story, in which each refund is lower by the least with which nothing went back that
    was not there, and no plan was made of what was not there. Before a plan the newest refund is, as far as it has sent
    money back and that helps.

    What is there is looked at when money goes back and when a plan is made, by the story until then.
    """
    uncovered: dict[UUID, int] = {}

    def heard(until: int, more: Mapping[UUID, int]) -> Oracle:
        story = clerk.events[:until]
        amounts = {**uncovered, **more}
        at_once = {id_: max(0, minor - sent_later(clerk.events, id_)) for id_, minor in amounts.items()}
        oracle = Oracle(plot.product, clerk.opened.cycle, plot.start, story, plot.later, amounts, at_once)
        oracle.hear_all(clerk.on if story == clerk.events else story[-1].on)
        return oracle

    def least(until: int, id_: UUID, high: int, lacks: Callable[[Oracle], bool]) -> int:
        low = uncovered.get(id_, 0)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if lacks(heard(until, {id_: middle})) else (low, middle)
        return high

    def cover(until: int, oracle: Oracle) -> None:
        if oracle.short:
            id_ = next(iter(oracle.short))
            refunds = (e for e in clerk.events if isinstance(e, Refunded) and e.refund_id == id_)
            uncovered[id_] = least(until, id_, next(refunds).amount_minor, lambda told: id_ in told.short)
            return
        for id_, sent in sent_before(clerk.events, clerk.events[: until - len(oracle.ahead or ())]):
            told = heard(until, {id_: sent})
            if sent > uncovered.get(id_, 0) and told.lacking < oracle.lacking:
                enough = not told.lacking
                uncovered[id_] = least(until, id_, sent, lambda one: one.lacking > 0) if enough else sent
                return
        raise AssertionError("a plan lacks what no refund has sent back")

    def cover_first() -> bool:
        for until, event in enumerate(clerk.events, 1):
            if isinstance(event, SentBack | Split):
                oracle = heard(until, {})
                if oracle.short or oracle.lacking:
                    cover(until, oracle)
                    return True
        return False

    while cover_first():
        pass
    return heard(len(clerk.events), {})


def sent_before(events: Sequence[Event], until: Sequence[Event]) -> list[tuple[UUID, int]]:
    """What refunds of a part of a story have sent back, then or later, of their amounts; the newest refund first."""
    return [
        (one.refund_id, min(one.amount_minor, one.returned_minor + sent_later(events, one.refund_id)))
        for one in reversed(until)
        if isinstance(one, Refunded)
    ]


def sent_later(events: Sequence[Event], refund_id: UUID) -> int:
    """What a refund has sent back after its day."""
    return sum(
        event.amount_minor for event in events if isinstance(event, SentBack) and event.refund_id == refund_id
    )


def folded_or_refused(clerk: Clerk, events: Sequence[Event]) -> Standing | None:
    """The fold of other events; None where they are refused, as they may be."""
    try:
        return fold(clerk.opened, events, clerk.versions, clerk.on)
    except Problem as problem:
        if not is_refused(problem, clerk.product, [event for event in events if event not in clerk.events]):
            raise
        return None


def fold_of(clerk: Clerk) -> Standing:
    return fold(clerk.opened, clerk.events, clerk.versions, clerk.on)


def is_refused(problem: Problem, product: Product, new: Sequence[Event]) -> bool:
    """What is refused: a bill that asks for a share of what was used is not paid down before it, if a plan was made of
    it; a refund of what a plan has taken over; and fees that a merchant's fault gave back were paid."""
    detail = str(problem.detail)
    if "took over what would have been given back" in detail:
        return any(isinstance(event, Refunded) for event in new)
    return (
        "gave interest back" in detail
        or "gave fees back" in detail
        or ("share of what was used" in detail and product.minimum.rest is Rest.DRAW)
    )


def assert_all_money_is_somewhere(
    told_before: Sequence[Event], before: Standing, told_now: Sequence[Event], after: Standing
) -> None:
    """What came more has paid more, in the books or of a loss, or stands in the person's favour."""
    brings = Repaid | Refunded
    more_minor = sum(one.amount_minor for one in told_now if isinstance(one, brings)) - sum(
        one.amount_minor for one in told_before if isinstance(one, brings)
    )
    assert moved_between(before, after).money_minor == more_minor


CASES = {
    "interest given back with a refund is less than was charged": plot_of(
        "daily_interest",
        Step(0, "buy", 100_000),
        Step(40, "refund", 80_000),
        Step(1, "pay", 50_000),
        after=40,
        repayment={"refund_interest": True},
    ),
    "a refund brings a line under its limit, whatever its bill has taken of it": plot_of(
        "monthly_bill",
        Step(0, "buy", 100_000),
        Step(0, "buy", 60_000, 1),
        Step(0, "raise_over", 40_000),
        Step(0, "to_bill", 1),
        Step(0, "buy", 9_000),
        Step(0, "refund", 5_000, 2),
        Step(1, "refund", 15_000, 1),
        Step(0, "pay", 12_000),
        Step(0, "refund", 30_000),
        after=20,
    ),
    "a refund that ends no stretch of a bill asks for less above the limit": plot_of(
        "monthly_bill",
        Step(0, "buy", 90_000),
        Step(1, "buy", 50_000, 5),
        Step(0, "raise_over", 40_000),
        Step(0, "to_bill", 2),
        Step(1, "refund", 10_000, 1),
        Step(1, "split", 0, 3),
        after=40,
        interest={"daily_ppm": 400},
        billing={"billable_at": BillableAt.RECEIPT},
    ),
    "a bill of the minimum alone asks for its share of what a refund leaves": plot_of(
        "daily_interest",
        Step(0, "buy", 30_000),
        Step(0, "buy", 90_000),
        Step(0, "to_bill", 1),
        Step(0, "buy", 9_000),
        Step(0, "refund", 9_000, 2),
        Step(1, "refund", 50_000, 1),
        Step(0, "pay", 6_000),
        Step(0, "to_bill", 1),
        Step(1, "refund_all", 0),
        after=20,
    ),
    "of a bill that is paid no minimum falls": plot_of(
        "daily_interest",
        Step(0, "buy", 30_000),
        Step(0, "buy", 90_000),
        Step(0, "raise_over", 10_000),
        Step(0, "to_bill", 1),
        Step(0, "pay_billed", 0),
        Step(1, "refund", 50_000, 1),
        after=20,
        interest={"daily_ppm": 0},
    ),
    "interest that a bill took for days to come falls away with what is refunded, in parts too": plot_of(
        "study_now",
        Step(0, "buy", 60_000),
        Step(0, "to_bill", 2),
        Step(0, "refund", 55_003),
        Step(1, "refund", 2_000),
        Step(1, "refund_all", 0),
        mode=Mode.ORDER,
        after=20,
    ),
    "that of a part that stays falls away with what comes after it": plot_of(
        "monthly_bill",
        Step(0, "buy", 60_000, 1),
        Step(0, "to_bill", 2),
        Step(0, "refund", 20_000),
        Step(2, "pay_minimum", 0),
        Step(1, "refund_all", 0),
        after=20,
        instalments={"prices": (Price(3, annual_ppm=90_000, method=Method.EQUAL_PRINCIPAL),)},
    ),
    "and comes back where it was paid": plot_of(
        "study_now",
        Step(0, "buy", 60_000),
        Step(0, "to_bill", 2),
        Step(0, "pay_billed", 0, 1),
        Step(1, "refund_all", 0),
        Step(1, "buy", 20_000),
        mode=Mode.ORDER,
        after=20,
    ),
    "arrears of eight days are paid, those of five days suspend still": plot_of(
        "order_instalments",
        Step(0, "buy", 10_000),
        Step(3, "buy", 20_000),
        Step(31, "pay", 1),
        Step(4, "pay", 10_100),
        mode=Mode.ORDER,
        after=1,
        arrears={"suspend_after_days": 7},
    ),
    "a refund of what one bill left lowers the minimum of the next": plot_of(
        "monthly_bill",
        Step(0, "buy", 100_000),
        Step(35, "pay", 10_000),
        Step(5, "buy", 10_000),
        Step(21, "refund", 50_000),
    ),
    "money in favour pays what a bill earns on its very first day, too": plot_of(
        "daily_interest",
        Step(0, "buy", 1_000),
        Step(0, "pay", 2_260),
        Step(15, "buy", 1_251),
        Step(0, "to_bill", 0),
        interest={"revolving_daily_ppm": 400},
        minimum={"rest": Rest.DRAW},
    ),
    "a date that had nothing to bill leaves no trace on draws": plot_of(
        "order_instalments",
        Step(0, "buy", 10),
        Step(45, "buy", 30),
        mode=Mode.ORDER,
        after=20,
        interest={"daily_ppm": 400, "late_least_minor": 0},
    ),
    "a date that had nothing to bill is not waited for": plot_of(
        "monthly_bill", Step(0, "buy", 2), Step(45, "pay", 1), after=20
    ),
    "interest of a line without a bill day is billed on the same day whoever looks": plot_of(
        "order_instalments",
        Step(0, "buy", 50),
        Step(3, "buy", 20_000),
        Step(37, "pay", 50),
        mode=Mode.ORDER,
        after=1,
        interest={"late_least_minor": 0},
    ),
    "a plan has ended once: what its days had earned stays": plot_of(
        "study_now", Step(0, "buy", 20_000), Step(30, "pay", 20_000), Step(5, "pay", 100), mode=Mode.ORDER
    ),
    "a refund after that takes its part only": plot_of(
        "study_now", Step(0, "buy", 20_000), Step(30, "pay", 20_000), Step(5, "refund", 100), mode=Mode.ORDER
    ),
    "a refund between a bill and its plan ends no stretch of the bill's interest": plot_of(
        "monthly_bill",
        Step(0, "buy", 90_000),
        Step(0, "to_bill", 0),
        Step(1, "buy", 50_000),
        Step(2, "refund", 10_000, 1),
        Step(1, "split", 0, 3),
        after=40,
        interest={"daily_ppm": 400},
    ),
    "a refund before a bill that is put into instalments ends no stretch of another draw": plot_of(
        "monthly_bill",
        Step(0, "buy", 90_000),
        Step(1, "buy", 50_000),
        Step(2, "refund", 10_000, 1),
        Step(0, "to_bill", 0),
        Step(1, "split", 0, 3),
        after=40,
        interest={"daily_ppm": 400},
    ),
    "a plan settled between a bill and its plan ends no stretch of the bill's interest": plot_of(
        "monthly_bill",
        Step(0, "buy", 90_000),
        Step(0, "buy", 60_000, 1),
        Step(0, "to_bill", 0),
        Step(2, "settle", 0, 1),
        Step(1, "split", 0, 3),
        after=40,
        interest={"daily_ppm": 400},
    ),
    "goods of a newer version come, and its dates are its own": replace(
        plot_of(
            "order_instalments",
            Step(0, "buy", 50_000),
            Step(1, "new_version", 0),
            Step(0, "buy", 60_000, 5),
            Step(3, "deliver", 0),
            mode=Mode.ORDER,
            after=90,
        ),
        later=(
            replace(
                product("order_instalments"),
                version=9,
                dates=Dates(Every(days=45), Every(months=1), lead_days=5),
                billing=Billing(BillableAt.RECEIPT),
            ),
        ),
    ),
    "fees that are due when a plan is prepaid stay due when a part of it is refunded": plot_of(
        "monthly_bill",
        Step(0, "buy", 30_000, 1),
        Step(3, "pay", 30_000),
        Step(3, "refund", 100),
        after=40,
        instalments={"early": Early.DUE},
    ),
    "a bill that is paid asks for no less when what it had carried is refunded": plot_of(
        "order_instalments",
        Step(0, "buy", 30_000, 0),
        Step(2, "buy", 5_000, 0),
        Step(24, "refund_all", 0, 1),
        Step(0, "refund", 10_000, 0),
        mode=Mode.ORDER,
        after=5,
    ),
    "a bill day on which a bill is late takes the interest of its days of grace": plot_of(
        "monthly_bill",
        Step(40, "buy", 60_000),
        Step(20, "refund", 1_000),
        after=70,
        billing={"grace_days": 21},
    ),
    "a bill has no merchant: it is not split at a price that a merchant carries": plot_of(
        "monthly_bill",
        Step(0, "buy", 60_000),
        Step(0, "to_bill", 1),
        Step(0, "split", 1),
        Step(9, "pay", 15_000),
        after=40,
        instalments={
            "prices": (Price(3, fee_ppm=25_000, merchant_share_ppm=1_000_000), Price(6, fee_ppm=30_000))
        },
    ),
}


@pytest.mark.parametrize("plot", CASES.values(), ids=CASES)
def test_what_the_oracle_has_found(plot: Plot) -> None:
    live_beside_the_oracle(plot)


def test_money_that_comes_late_and_is_left_over_at_a_charge_off_recovers_it() -> None:
    """As it would have stood in favour when the loss was taken: the loss stays, and so much of it is recovered."""
    plot = plot_of(
        "monthly_bill",
        Step(0, "buy", 10_000),
        Step(36, "buy", 120_000, 4),
        Step(0, "pay", 1, 0),
        after=200,
    )
    clerk = lived(plot)
    assert clerk.is_lost
    retell_beside_the_oracle(plot, [Afterwards(100_000, 35)])
    standing = fold_of(with_late_money(clerk, Afterwards(100_000, 35)))
    assert standing.lost is not None
    assert standing.credit_balance_minor == 0 < standing.recovered_minor < standing.lost.total_minor


@pytest.mark.parametrize("money_minor", [60_000, 100_000])
def test_money_that_a_plan_leaves_aside_pays_what_its_principal_had_earned(money_minor: int) -> None:
    plot = plot_of(
        "daily_interest",
        Step(0, "buy", 90_000),
        Step(0, "to_bill", 1),
        Step(1, "split", 0, 1),
        Step(1, "buy", 100),
        instalments={
            "prices": (Price(3, fee_ppm=25_000), Price(6, fee_ppm=50_000)),
            "bills": BillSplit(1_000),
        },
        minimum={"rest": Rest.BILL, "principal_ppm": 500_000},
        interest={"revolving_daily_ppm": 400},
    )
    for back in range(9):
        retell_beside_the_oracle(plot, [Afterwards(money_minor, back)])


def with_late_money(clerk: Clerk, change: Afterwards) -> Clerk:
    """The clerk with a story told otherwise."""
    events = changed(clerk, change)
    assert events is not None
    clerk.events = events
    return clerk


def test_a_plan_of_what_money_in_favour_has_left_changes_nothing_before_it() -> None:
    """What went back was not there, for a bill had taken it; that a plan leaves money aside was not known then."""
    plot = plot_of(
        "monthly_bill",
        Step(0, "buy", 50_000),
        Step(0, "pay_all", 1, 2),
        Step(3, "buy", 40_000),
        Step(1, "pay", 39_000, 2),
        Step(0, "to_bill", 1, 1),
        instalments={"bills": BillSplit(1_000)},
    )
    undone_and_bounced = [Afterwards(1, 10, is_refund=True), Afterwards(0, 1)]
    clerk = retell_and_live_on(plot, undone_and_bounced, [Step(0, "split", 1, 3)], [Afterwards(5_000, 1)])
    assert [event.draw.amount_minor for event in clerk.events if isinstance(event, Split)] == [39_000]
    assert clerk.credit_minor == 5_000


def test_a_bill_that_owes_nothing_but_fees_brings_interest_too() -> None:
    """Where fees bear late interest, and principal was paid before them."""
    due_on = date(2026, 1, 10)
    bill = Bill(
        id=LINE,
        line_id=LINE,
        issued_on=date(2026, 1, 1),
        due_on=due_on,
        status=BillStatus.OVERDUE,
        fee_minor=70,
        daily_ppm=500,
        bears_fees=True,
        accrued_on=due_on,
    )
    assert brings_a_bill(bill, due_on + DAY)
    assert not brings_a_bill(replace(bill, bears_fees=False), due_on + DAY)


def live_beside_the_oracle(plot: Plot) -> None:
    """Live a plot by the single steps and by the oracle, compare day by day, and fold the events at the end."""
    oracle, heard, clerk = None, 0, None
    for clerk in live(plot):
        if oracle is None:
            oracle = Oracle(plot.product, clerk.opened.cycle, plot.start, later=plot.later)
        new = clerk.events[heard:]
        heard = len(clerk.events)
        oracle.turn_to(clerk.on, [event for event in new if isinstance(event, Issued | ChargedOff)])
        for event in new:
            if not isinstance(event, Issued | ChargedOff):
                oracle.hear(event)
        compare_rows(oracle, clerk)
    assert oracle is not None and clerk is not None
    standing = fold(clerk.opened, clerk.events, clerk.versions, clerk.on)
    compare_fold(standing, clerk)
    compare_charged(oracle, standing)


def compare_rows(oracle: Oracle, clerk: Clerk) -> None:
    """Bills, draws, line and credit balance of the single steps, as the oracle's books have them."""
    for bill, statement in zip(clerk.bills.values(), oracle.statements, strict=True):
        compare_bill(bill, statement, clerk)
    for draw, purchase in zip(clerk.draws.values(), oracle.purchases, strict=True):
        compare_draw(draw, purchase, clerk)
    assert clerk.credit_minor == oracle.credit
    assert_nothing_billed_is_open_beside_a_balance_in_favour(clerk)
    line = clerk.line
    assert line.past_due_since == oracle.past_due_since
    assert (line.status is LineStatus.SUSPENDED) is oracle.suspended
    if line.cycle is not None:
        assert line.next_bill_on == oracle.next_bill_on
    dates = {bill.id: bill.issued_on for bill in clerk.bills.values()}
    for id_, pieces in clerk.allocations.items():
        mine = [
            (
                one.part.value,
                one.amount_minor,
                dates[one.bill] if one.bill else one.draw,
                one.instalment,
            )
            for one in pieces
        ]
        theirs = [
            piece if piece[0] != "credit_balance" else (*piece[:2], None, None)
            for piece in oracle.pieces[id_]
        ]
        assert Counter(mine) == Counter(theirs)


def assert_nothing_billed_is_open_beside_a_balance_in_favour(clerk: Clerk) -> None:
    """Money in favour has paid all bills and the interest that they have earned: it waits for spending alone."""
    if not clerk.credit_minor:
        return
    for bill in clerk.bills.values():
        open_minor = bill.unpaid_minor + interest_to_bill(bill, clerk.on)
        assert not open_minor, f"{clerk.credit_minor} in favour beside {open_minor} of the {bill.issued_on}"


def compare_bill(bill: Bill, statement: Statement, clerk: Clerk) -> None:
    assert (bill.issued_on, bill.due_on, bill.last_on) == (
        statement.issued_on,
        statement.due_on,
        statement.last_on,
    )
    assert {
        "status": bill.status.value,
        "single": bill.single_minor,
        "instalment": bill.instalment_minor,
        "fee": bill.fee_minor,
        "interest": bill.interest_minor,
        "late_interest": bill.late_interest_minor,
        "carried": bill.carried_minor,
        "missed": bill.missed_minor,
        "minimum": bill.minimum_minor,
        "paid_principal": bill.paid_principal_minor,
        "paid_fee": bill.paid_fee_minor,
        "paid_interest": bill.paid_interest_minor,
        "counted": bill.counted_minor if bill.unpaid_minor else None,  # of a paid bill nobody asks
        "charged": bill.interest_billed_minor,
        "earned": accrued_micro(bill, clerk.on),
    } == {
        "status": statement.state,
        "single": statement.single,
        "instalment": statement.instalment,
        "fee": statement.fee,
        "interest": statement.interest,
        "late_interest": statement.late_interest,
        "carried": statement.carried,
        "missed": statement.missed,
        "minimum": statement.minimum,
        "paid_principal": statement.paid[Part.PRINCIPAL],
        "paid_fee": statement.paid[Part.FEE],
        "paid_interest": statement.paid[Part.INTEREST],
        "counted": statement.counted if statement.owed else None,
        "charged": statement.charged,
        "earned": statement.earned,
    }
    items = clerk.items[bill.id].items
    assert [(item.draw_id, item.principal_minor) for item in items] == statement.allotted


def compare_draw(draw: Draw, purchase: Purchase, clerk: Clerk) -> None:
    dates = [clerk.bills[bill].issued_on for bill in draw.bills]
    parts = range(len(draw.principal_parts))
    assert {
        "principal": draw.principal_parts,
        "fee": tuple(draw.fee_of(part) for part in parts),
        "interest": tuple(draw.interest_of(part) for part in parts),
        "subsidy": tuple(draw.subsidy_of(part) for part in parts),
        "bills": dates,
        "prepaid": draw.prepaid_minor,
        "unbilled": draw.unbilled_minor,
        "billable_on": draw.billable_on,
        "charged": draw.interest_billed_minor,
        "earned": accrued_micro(draw, clerk.on),
    } == {
        "principal": tuple(rate.principal for rate in purchase.rates),
        "fee": tuple(rate.fee for rate in purchase.rates),
        "interest": tuple(rate.interest for rate in purchase.rates),
        "subsidy": tuple(rate.subsidy for rate in purchase.rates),
        "bills": [rate.bill.issued_on for rate in purchase.rates if rate.bill is not None],
        "prepaid": sum(rate.prepaid for rate in purchase.to_come),
        "unbilled": purchase.unbilled,
        "billable_on": purchase.billable_on,
        "charged": purchase.charged,
        "earned": purchase.earned,
    }


def compare_fold(standing: Standing, clerk: Clerk) -> None:
    """The fold of the events is what the single steps have kept."""
    assert {id_: plain(bill) for id_, bill in standing.bills.items()} == {
        id_: plain(bill) for id_, bill in clerk.bills.items()
    }
    assert standing.draws == clerk.draws
    assert standing.items == clerk.items
    assert standing.allocations == clerk.allocations
    assert standing.credit_balance_minor == clerk.credit_minor
    assert standing.line == clerk.line


def plain(bill: Bill) -> Bill:
    """A bill without the date on which the close looks at it again: only whether it does."""
    return replace(bill, wake_on=bill.wake_on and date.max)


def compare_charged(oracle: Oracle, standing: Standing) -> None:
    charged = standing.charged
    assert charged.interest_minor == oracle.interest_charged
    assert charged.fee_minor == oracle.fee_charged
    assert charged.subsidy_minor == oracle.subsidy_earned
    assert charged.subsidy_returned_minor == oracle.subsidy_back
    lost = standing.lost
    assert (lost and (lost.principal_minor, lost.interest_minor, lost.fee_minor)) == oracle.lost
    assert standing.lost_cancelled_minor == oracle.lost_cancelled
