"""What a line's state, times and limits allow: every arrow, the borders of raises, what lines leave one another."""

from datetime import date, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from wufeng.base.errors import Code
from wufeng.credit import shipped_products
from wufeng.credit.draws.model import Approved, Declined, DrawRequest
from wufeng.credit.draws.rules import decide_draw
from wufeng.credit.lines import rules
from wufeng.credit.lines.model import Actor, Line, LineState, LineStatus
from wufeng.credit.products.model import DueDays
from wufeng.identity.merchants.model import Scene
from wufeng.lenders.model import lender_id
from wufeng.risk.model import Reason

PRODUCT = next(one.product for one in shipped_products() if one.product.id == "monthly_bill")
SHARING = replace(PRODUCT, id="sharing", limit=replace(PRODUCT.limit, shared="purse"))
TODAY = date(2026, 9, 3)
DAY = timedelta(days=1)
LINE = UUID(int=3)
OPEN, FROZEN, SUSPENDED, CLOSING, CLOSED = LineStatus


def line_of(**more: object) -> Line:
    fields: dict[str, object] = {
        "id": LINE, "person_id": UUID(int=1), "product": PRODUCT.id, "product_version": 1, "currency": "CNY",
        "lenders": ((lender_id(1, "one"), 1_000_000),), "limit_minor": 1_000_00, "status": OPEN, "bill_day": 1,
        "due_day": 10, "opened_on": TODAY, **more,
    }  # fmt: skip
    return Line(**fields)  # type: ignore[arg-type]


def in_arrears(line: Line, days: int) -> Line:
    return rules.with_arrears(line, TODAY - days * DAY, PRODUCT, TODAY)


def paid(line: Line) -> Line:
    return rules.with_arrears(line, None, PRODUCT, TODAY)


ARROWS = {
    # from: freeze, unfreeze, fall into arrears, pay them, close while something is owed, close
    OPEN: (FROZEN, None, SUSPENDED, OPEN, CLOSING, CLOSED),
    FROZEN: (FROZEN, OPEN, FROZEN, FROZEN, CLOSING, CLOSED),
    SUSPENDED: (FROZEN, None, SUSPENDED, OPEN, CLOSING, CLOSED),
    CLOSING: (None, None, CLOSING, CLOSING, CLOSING, CLOSED),
    CLOSED: (None, None, CLOSED, CLOSED, None, None),
}


@pytest.mark.parametrize("status", LineStatus)
def test_every_arrow(status: LineStatus) -> None:
    line = line_of(status=status)
    freeze, unfreeze, arrears, settle, wait, close = ARROWS[status]
    frozen = rules.frozen(line, TODAY + DAY)
    assert (frozen.status if frozen else None) is freeze
    unfrozen = rules.unfrozen(line, PRODUCT, TODAY)
    assert (unfrozen.status if unfrozen else None) is unfreeze
    assert in_arrears(line, 1).status is arrears
    assert paid(in_arrears(line, 1)).status is settle
    if wait is not None and close is not None:
        assert (rules.closing(line, 1).status, rules.closed(line).status) == (wait, close)


@pytest.mark.parametrize(
    ("done", "status", "suspend_on"),
    [
        (("arrears", "freeze"), FROZEN, None),
        (("arrears", "freeze", "unfreeze"), SUSPENDED, None),
        (("freeze", "arrears", "unfreeze"), SUSPENDED, None),
        (("freeze", "arrears", "pay", "unfreeze"), OPEN, None),
        (("arrears", "freeze", "pay", "unfreeze"), OPEN, None),
        (("freeze", "young", "unfreeze"), OPEN, TODAY + DAY),
        (("young", "freeze"), FROZEN, None),
        (("arrears", "close"), CLOSING, None),
        (("freeze", "close", "arrears"), CLOSING, None),
        (("freeze", "close", "arrears", "pay"), CLOSING, None),
    ],
)
def test_arrows_that_follow_one_another(
    done: tuple[str, ...], status: LineStatus, suspend_on: date | None
) -> None:
    line = line_of()
    for step in done:
        after = {
            "arrears": lambda line: in_arrears(line, 1),
            "young": lambda line: in_arrears(line, 0),
            "pay": paid,
            "freeze": rules.frozen,
            "unfreeze": lambda line: rules.unfrozen(line, PRODUCT, TODAY),
            "close": lambda line: rules.closing(line, 1),
        }[step](line)
        assert after is not None, step
        line = after
    assert (line.status, line.suspend_on, line.frozen_until_on) == (status, suspend_on, None)


@pytest.mark.parametrize(
    ("status", "actor", "until_on", "stopped", "code"),
    [
        (OPEN, Actor.PERSON, TODAY + DAY, False, None),
        (OPEN, Actor.PERSON, TODAY, False, Code.INVALID_FIELD),
        (SUSPENDED, Actor.PERSON, None, False, None),
        (FROZEN, Actor.PERSON, None, False, Code.STATE_CONFLICT),
        (FROZEN, Actor.STAFF, None, False, None),
        (FROZEN, Actor.STAFF, TODAY + DAY, False, None),
        (FROZEN, Actor.STAFF, TODAY + DAY, True, Code.STATE_CONFLICT),
        (SUSPENDED, Actor.SYSTEM, None, True, None),
        (CLOSING, Actor.STAFF, None, False, Code.STATE_CONFLICT),
        (CLOSED, Actor.STAFF, None, False, Code.STATE_CONFLICT),
    ],
)
def test_who_may_freeze(
    status: LineStatus,
    actor: Actor,
    until_on: date | None,
    stopped: bool,
    code: Code | None,
) -> None:
    problem = rules.problem_of_freeze(line_of(status=status), until_on, actor, TODAY, stopped=stopped)
    assert (problem.code if problem else None) is code


@pytest.mark.parametrize(("days", "status"), [(-1, FROZEN), (0, OPEN), (1, OPEN)])
def test_a_freeze_ends_on_its_date(days: int, status: LineStatus) -> None:
    line = rules.frozen(line_of(), TODAY + DAY)
    assert line is not None
    on = TODAY + DAY + days * DAY
    assert rules.thawed(line, PRODUCT, on).status is status
    decided = decide_draw(LineState(line, 0, 0), wanting(1), PRODUCT, on)
    assert isinstance(decided, Declined if status is FROZEN else Approved)
    late = replace(line, past_due_since=TODAY)
    assert rules.thawed(late, PRODUCT, TODAY + DAY).status is SUSPENDED
    decided = decide_draw(LineState(late, 0, 0), wanting(1), PRODUCT, TODAY + DAY)
    assert isinstance(decided, Declined)
    assert decided.reasons == (Reason.LINE_IN_ARREARS,)


def test_a_draw_has_the_lenders_of_its_line_whatever_its_version_says() -> None:
    """So the books may split what a line owes, and what its draws have unearned, by the line's own."""
    others = tuple(replace(one, code=f"other_{one.code}") for one in PRODUCT.lenders)
    line, newer = line_of(), replace(PRODUCT, version=PRODUCT.version + 1, lenders=others)
    decided = decide_draw(LineState(line, 0, 0), wanting(1), newer, TODAY)
    assert isinstance(decided, Approved)
    assert (decided.product_version, decided.lenders) == (newer.version, line.lenders)


def wanting(amount_minor: int) -> DrawRequest:
    return DrawRequest(
        id=UUID(int=7), line_id=LINE, payment_id=UUID(int=8), merchant_id=UUID(int=9), amount_minor=amount_minor,
        scene=Scene.RETAIL,
    )  # fmt: skip


RAISED = {"temporary_limit_minor": 1_200_00, "temporary_until_on": TODAY}


@pytest.mark.parametrize(
    ("line", "limit_minor", "until_on", "actor", "pointer"),
    [
        (line_of(), 1_200_00, TODAY, Actor.STAFF, None),
        (line_of(), 1_200_01, TODAY, Actor.STAFF, "/limit_minor"),
        (line_of(), 1_000_00, TODAY, Actor.STAFF, "/limit_minor"),
        (line_of(), 1_100_00, TODAY - DAY, Actor.STAFF, "/until"),
        (line_of(limit_minor=49_999_00), 50_000_00, TODAY, Actor.STAFF, None),  # the product's highest limit
        (line_of(limit_minor=49_999_00), 50_000_01, TODAY, Actor.STAFF, "/limit_minor"),
        (line_of(status=CLOSING), 1_100_00, TODAY, Actor.STAFF, ""),
        (line_of(), 1_100_00, TODAY, Actor.PERSON, ""),  # none runs
        (line_of(**RAISED), 1_100_00, TODAY, Actor.PERSON, None),
        (line_of(**RAISED), 1_200_01, TODAY, Actor.PERSON, "/limit_minor"),
        (line_of(**RAISED), 1_000_00, TODAY, Actor.PERSON, "/limit_minor"),
        (line_of(**RAISED), 1_100_00, TODAY + DAY, Actor.PERSON, "/until"),
        (line_of(**RAISED), 1_150_00, TODAY + DAY, Actor.SYSTEM, None),
    ],
)
def test_who_may_raise_a_limit_for_a_time(
    line: Line, limit_minor: int, until_on: date, actor: Actor, pointer: str | None
) -> None:
    problem = rules.problem_of_raise(line, limit_minor, until_on, actor, PRODUCT, TODAY)
    if pointer is None:
        assert problem is None
    else:
        assert problem is not None
        assert [error.pointer for error in problem.errors] == ([pointer] if pointer else [])


@pytest.mark.parametrize(
    ("used_minor", "on", "limit_minor", "over_minor"),
    [
        (1_200_00, TODAY, 1_200_00, 0),  # it runs
        (1_200_00, TODAY + DAY, 1_000_00, 200_00),
        (1_000_01, TODAY + DAY, 1_000_00, 1),
        (1_000_00, TODAY + DAY, 1_000_00, 0),
        (1_500_00, TODAY + DAY, 1_000_00, 200_00),  # a limit that was lowered asks for nothing
    ],
)
def test_what_a_raise_leaves_used_is_due_with_the_bill_after(
    used_minor: int, on: date, limit_minor: int, over_minor: int
) -> None:
    line = line_of(**RAISED)
    assert line.limit_on(on) == limit_minor
    ended = rules.without_ended_raise(line, used_minor, on)
    for one in (line, ended):  # whether or not the row says so yet
        assert rules.over_limit_minor(one, used_minor, on) == over_minor
    billed = rules.after_bill(line, on)
    assert rules.over_limit_minor(billed, used_minor, on + DAY) == (200_00 if on == TODAY else 0)


def test_a_raise_that_is_declined_lowered_or_does_not_fit_is_repaid_too() -> None:
    state = LineState(line_of(**RAISED), 1_150_00, 0)
    declined = rules.limited(state, 1_000_00, Actor.PERSON, PRODUCT, TODAY)
    assert (declined.temporary_limit_minor, declined.limit_on(TODAY)) == (None, 1_000_00)
    assert rules.over_limit_minor(declined, 1_150_00, TODAY) == 150_00
    held = rules.limited(LineState(line_of(**RAISED), 0, 1_150_00), 1_000_00, Actor.PERSON, PRODUCT, TODAY)
    assert rules.over_limit_minor(held, 0, TODAY) == 0
    assert rules.over_limit_minor(held, 1_150_00, TODAY) == 150_00, "captured later"
    lowered = rules.raised(state, 1_100_00, TODAY + DAY, TODAY)
    assert rules.over_limit_minor(lowered, 1_150_00, TODAY) == 50_00
    assert rules.over_limit_minor(lowered, 1_150_00, TODAY + 2 * DAY) == 150_00
    kept = rules.limited(state, 1_010_00, Actor.STAFF, PRODUCT, TODAY)
    assert (kept.limit_minor, kept.limit_on(TODAY)) == (1_010_00, 1_200_00)
    for limit_minor in (900_00, 1_200_00):
        other = rules.limited(state, limit_minor, Actor.STAFF, PRODUCT, TODAY)
        assert other.limit_on(TODAY) == limit_minor
    assert rules.over_limit_minor(rules.closing(state.line, 1_150_00), 1_150_00, TODAY) == 150_00


@given(
    taken_minor=st.integers(900_00, 1_300_00),
    held_minor=st.integers(0, 300_00),
    lowered_minor=st.lists(st.integers(0, 1_000_00), min_size=1, max_size=3).map(
        lambda all_: sorted(all_)[::-1]
    ),
    repaid_minor=st.integers(0, 200_00),
    days=st.integers(0, 1),
)
def test_a_lowered_limit_never_changes_what_a_raise_asks_for(
    taken_minor: int, held_minor: int, lowered_minor: list[int], repaid_minor: int, days: int
) -> None:
    on = TODAY + days * DAY  # lowered while it runs, or once it is over
    held_minor = min(held_minor, taken_minor)
    state = LineState(line_of(**RAISED), taken_minor - held_minor, held_minor)
    before = rules.raise_over(state.line, taken_minor)
    after = state.line
    for limit_minor in lowered_minor:
        after = rules.limited(replace(state, line=after), limit_minor, Actor.PERSON, PRODUCT, on)
    used_minor = max(0, taken_minor - repaid_minor)
    assert after.limit_on(on) == lowered_minor[-1]
    asked_minor = rules.over_limit_minor(before, used_minor, on)
    assert rules.over_limit_minor(after, used_minor, on) == asked_minor
    assert asked_minor <= max(0, used_minor - 1_000_00)


def test_what_an_earlier_limit_allowed_is_no_raises() -> None:
    lowered = rules.limited(LineState(line_of(), 900_00, 0), 500_00, Actor.PERSON, PRODUCT, TODAY)
    assert lowered.earlier_limit_minor == 900_00
    state = LineState(lowered, 900_00, 0)
    raised = rules.raised(state, 600_00, TODAY, TODAY)
    assert rules.over_limit_minor(raised, 900_00, TODAY + DAY) == 0, "all of it was drawn before the raise"
    fresh = rules.raised(replace(state, used_minor=400_00), 600_00, TODAY, TODAY)
    assert fresh.earlier_limit_minor is None
    assert rules.over_limit_minor(fresh, 600_00, TODAY + DAY) == 100_00
    higher = rules.limited(state, 950_00, Actor.STAFF, PRODUCT, TODAY)
    assert higher.earlier_limit_minor is None


def states_of(*lines: LineState) -> dict[UUID, LineState]:
    return {
        UUID(int=n): replace(state, line=replace(state.line, id=UUID(int=n))) for n, state in enumerate(lines)
    }


@pytest.mark.parametrize(
    ("lines", "ceilings"),
    [
        ([LineState(line_of(), 10, 0)], [1_000_00]),
        ([LineState(line_of(), 0, 0, 400_00)], [400_00]),
        (
            [LineState(line_of(), 300_00, 50_00, 400_00), LineState(line_of(), 20_00, 0, 400_00)],
            [380_00, 50_00],
        ),
        ([LineState(line_of(), 500_00, 0, 400_00), LineState(line_of(), 0, 0, 400_00)], [400_00, -100_00]),
        ([LineState(line_of(), 900_00, 0), LineState(line_of(), 0, 0)], [1_000_00, 1_000_00]),
    ],
)
def test_what_a_cap_leaves_each_line(lines: list[LineState], ceilings: list[int]) -> None:
    states = states_of(*lines)
    products = dict.fromkeys(states, PRODUCT)
    assert [rules.ceiling_minor(id_, states, products, TODAY) for id_ in states] == ceilings


@pytest.mark.parametrize(
    ("other", "ceiling"),
    [
        (LineState(line_of(limit_minor=600_00), 200_00, 50_00), 750_00),
        (LineState(line_of(limit_minor=1_500_00), 200_00, 0), 1_000_00),  # never above its own
        (LineState(line_of(limit_minor=1_500_00), 1_400_00, 0), 100_00),
        (LineState(line_of(limit_minor=1_500_00, status=FROZEN), 1_400_00, 0), 100_00),
        (
            LineState(line_of(limit_minor=1_500_00, status=CLOSING), 1_400_00, 0),
            -400_00,
        ),  # its limit ends with it
        (LineState(line_of(limit_minor=1_500_00, status=CLOSED), 0, 0), 1_000_00),
        (LineState(line_of(**{**RAISED, "temporary_limit_minor": 1_300_00}), 400_00, 0), 900_00),
    ],
)
def test_what_lines_that_share_a_limit_leave_one_another(other: LineState, ceiling: int) -> None:
    states = states_of(LineState(line_of(), 0, 0), other)
    first, second = states
    together = {first: SHARING, second: replace(SHARING, id="another")}
    assert rules.ceiling_minor(first, states, together, TODAY) == ceiling
    apart = {first: SHARING, second: PRODUCT}
    assert rules.ceiling_minor(first, states, apart, TODAY) == 1_000_00


AMOUNTS = st.integers(0, 2_000_00)


@given(
    st.lists(
        st.tuples(AMOUNTS, AMOUNTS, AMOUNTS, st.sampled_from(LineStatus), st.booleans()),
        min_size=1,
        max_size=4,
    ),
    st.none() | AMOUNTS,
    st.lists(st.tuples(st.integers(0, 3), st.integers(1, 500_00)), max_size=12),
)
def test_no_draw_passes_any_limit(
    lines: list[tuple[int, int, int, LineStatus, bool]],
    cap_minor: int | None,
    draws: list[tuple[int, int]],
) -> None:
    states = states_of(
        *(
            LineState(line_of(limit_minor=limit, status=status), used, held, cap_minor)
            for limit, used, held, status, _ in lines
        )
    )
    products = {id_: SHARING if shares else PRODUCT for id_, (*_, shares) in zip(states, lines, strict=True)}
    for place, amount in draws:
        id_ = list(states)[place % len(states)]
        ceiling = rules.ceiling_minor(id_, states, products, TODAY)
        decided = decide_draw(states[id_], wanting(amount), products[id_], TODAY, ceiling)
        if isinstance(decided, Declined):
            continue
        states[id_] = after = decided.after
        assert after.line.status is OPEN
        assert after.taken_minor <= after.line.limit_minor
        assert cap_minor is None or sum(state.taken_minor for state in states.values()) <= cap_minor
        if products[id_] is SHARING:
            sharing = [state for other, state in states.items() if products[other] is SHARING]
            most = max(state.line.limit_minor for state in sharing if state.line.status in rules.LIVING)
            assert sum(state.taken_minor for state in sharing) <= most


@pytest.mark.parametrize(
    ("days", "band"), [(0, "M0"), (1, "M1"), (30, "M1"), (31, "M2"), (60, "M2"), (61, "M3"), (181, "M7")]
)
def test_arrears_fall_into_bands_of_thirty_days(days: int, band: str) -> None:
    assert rules.band_of(days) == band


@pytest.mark.parametrize(
    ("bill_day", "due_day", "says"),
    [
        (1, 8, None),
        (8, 8, "Bills of this line come on day 8"),
        (29, 30, "Bills of this line come on day 29"),
        (31, 28, "Bills of this line come on day 31"),
        (27, 28, None),
        (28, 27, None),
    ],
)
def test_a_due_day_is_never_the_bill_day_in_any_month(bill_day: int, due_day: int, says: str | None) -> None:
    product = replace(PRODUCT, due_days=DueDays((8, 27, 28, 30), 2))
    problem = rules.problem_of_due_day(line_of(bill_day=bill_day), due_day, product, 0, 0)
    assert (problem is None) if says is None else (problem is not None and says in problem.detail)
