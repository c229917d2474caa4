"""What a line's arrears make of it, how much it may be used, and which changes it allows."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from uuid import UUID

from msgspec.structs import replace

from wufeng.base.errors import Code, Problem, invalid_field
from wufeng.credit.lines.model import AboveLimit, Actor, Line, LineState, LineStatus
from wufeng.credit.products.model import Mode, Product, coincide
from wufeng.identity.merchants.model import PPM


def with_arrears(line: Line, past_due_since: date | None, product: Product, on: date) -> Line:
    """The line with its arrears as they are on a date: suspended once they are old enough, open again without them."""
    status, suspend_on, charge_off_on = line.status, None, None
    after_days = product.arrears.charge_off_after_days
    if past_due_since is not None and after_days is not None and line.charged_off_on is None:
        charge_off_on = past_due_since + timedelta(days=after_days)
    if status is LineStatus.SUSPENDED and past_due_since is None:
        status = LineStatus.OPEN
    if status is LineStatus.OPEN and past_due_since is not None:
        suspend_on = past_due_since + timedelta(days=product.arrears.suspend_after_days)
        if suspend_on <= on:
            status, suspend_on = LineStatus.SUSPENDED, None
    return replace(
        line,
        status=status,
        past_due_since=past_due_since,
        suspend_on=suspend_on,
        charge_off_on=charge_off_on,
    )


BAND_DAYS = 30
"""Days of one band of arrears."""


def band_of(days_past_due: int) -> str:
    """The band that arrears of an age fall into: M0 none, M1 to 30 days, M2 to 60, and so on (PRODUCTS.md 3.3)."""
    return f"M{-(-days_past_due // BAND_DAYS)}"


def frozen(line: Line, until_on: date | None = None) -> Line | None:
    """The line frozen, for good or until a date; None when its state does not allow it, or it is so already.

    A frozen line may be given another end: whether its caller may do that is `problem_of_freeze`'s.
    """
    if line.status not in LIVING:
        return None
    after = replace(line, status=LineStatus.FROZEN, suspend_on=None, frozen_until_on=until_on)
    return after if after != line else None


def unfrozen(line: Line, product: Product, on: date) -> Line | None:
    """The line as it would be had it not been frozen: open, or suspended by its arrears; None when it is not frozen."""
    if line.status is not LineStatus.FROZEN:
        return None
    opened = replace(line, status=LineStatus.OPEN, frozen_until_on=None)
    return with_arrears(opened, line.past_due_since, product, on)


def thawed(line: Line, product: Product, on: date) -> Line:
    """The line as it counts on a date: a freeze that has come to its end is over, whatever the row says yet."""
    if line.frozen_until_on is None or on < line.frozen_until_on:
        return line
    return unfrozen(line, product, on) or line


def raise_over(line: Line, taken_minor: int) -> Line:
    """The line with its raise over, ended or declined: what it had lifted the limit by is kept for the bill after.

    taken_minor  used and held (what is held may be captured later); if it fits the permanent limit, nothing is kept
    """
    if line.temporary_limit_minor is None:
        return line
    kept_minor = _kept_minor(line, taken_minor, line.limit_minor)
    return replace(line, temporary_limit_minor=None, temporary_until_on=None, ended_raise_minor=kept_minor)


def _kept_minor(line: Line, taken_minor: int, left_minor: int) -> int:
    """What a raise had lifted the limit by, while more is taken than the limit that is left."""
    if taken_minor <= left_minor or line.temporary_limit_minor is None:
        return 0
    return max(line.ended_raise_minor, line.temporary_limit_minor - line.limit_minor)


def without_ended_raise(line: Line, taken_minor: int, on: date) -> Line:
    """The line as it counts on a date: a raise whose last date has passed is over, whatever the row says yet."""
    return line if line.is_raised(on) else raise_over(line, taken_minor)


def over_limit_minor(line: Line, used_minor: int, on: date) -> int:
    """How much of what is used a raise that is over had allowed: the bill after asks for it (PRODUCTS.md 2.3).

    used_minor  posted principal
    Nothing while the raise runs, and nothing of what a lowered limit leaves above it: that is repaid as it was agreed.
    """
    above = above_limit(line, on)
    return above.of(used_minor) if above is not None else 0


def above_limit(line: Line, on: date) -> AboveLimit | None:
    """From where on, and up to how much, a bill of a date asks for what a raise had allowed; None: none is over.

    A raise whose last date has passed counts as if all was taken: what fits the limit is not above it.
    """
    now = without_ended_raise(line, line.limit_minor + 1, on)
    return AboveLimit(now.allowed_minor(on), now.ended_raise_minor) if now.ended_raise_minor else None


def after_bill(line: Line, issued_on: date) -> Line:
    """The line once a bill has asked for what a raise that is over had allowed: no later bill asks again."""
    return replace(without_ended_raise(line, 0, issued_on), ended_raise_minor=0)


def ceiling_minor(
    line_id: UUID, lines: Mapping[UUID, LineState], products: Mapping[UUID, Product], on: date
) -> int:
    """The most that used and held of one line may come to on a date; below zero when others have taken more.

    It is the least of three: the line's limit; the person's cap, less what the other lines have taken; the largest
    limit of the lines that share one, less what the others of them have taken.
    lines  all of one person, closed ones or not; products  theirs, by line
    """
    state = lines[line_id]
    ceiling = state.line.limit_on(on)
    if len(lines) == 1 and state.cap_minor is None:
        return ceiling
    others = [other for id_, other in lines.items() if id_ != line_id]
    if state.cap_minor is not None:
        ceiling = min(ceiling, state.cap_minor - sum(other.taken_minor for other in others))
    shared = products[line_id].limit.shared
    if shared is not None:
        group = [other for other in others if products[other.line.id].limit.shared == shared]
        ceiling = min(
            ceiling, _largest_limit([state, *group], on) - sum(other.taken_minor for other in group)
        )
    return ceiling


def _largest_limit(states: Sequence[LineState], on: date) -> int:
    """A line that is closing or closed lends its limit to nobody."""
    return max((state.line.limit_on(on) for state in states if state.line.status in LIVING), default=0)


def may_close(state: LineState, owed_minor: int, *, waits: bool = False) -> bool:
    """Whether a line can be closed now: nothing used, held or owed in interest and fees.

    waits  a repayment is pending that a bank has not answered
    A plan that is open has principal to come, so the line is used; a refund of a payment is there at once.
    """
    return state.used_minor == 0 and state.held_minor == 0 and owed_minor == 0 and not waits


def closed(line: Line) -> Line:
    """The line closed: nothing is to come of it any more."""
    ended = replace(raise_over(line, 0), status=LineStatus.CLOSED, next_bill_on=None, suspend_on=None)
    return replace(ended, frozen_until_on=None, ended_raise_minor=0)


def closing(line: Line, taken_minor: int) -> Line:
    """The line as it waits to be closed: bills go on, a freeze and a raise are over. taken_minor: used and held."""
    waiting = replace(line, status=LineStatus.CLOSING, suspend_on=None, frozen_until_on=None)
    return raise_over(waiting, taken_minor)


LIVING = frozenset({LineStatus.OPEN, LineStatus.FROZEN, LineStatus.SUSPENDED})
"""States in which a line's terms may be changed."""


STOPPED = "its person has withdrawn a consent that it needs"
"""Why a line is frozen for good."""


def problem_of_freeze(
    line: Line, until_on: date | None, actor: Actor, on: date, *, stopped: bool
) -> Problem | None:
    """Why a line may not be frozen so: a frozen one is given another end by staff only.

    stopped  a consent that it needs was withdrawn: no freeze of it ends by itself
    """
    if until_on is not None and until_on <= on:
        return invalid_field("/until", "A freeze ends on a later date.")
    if line.status not in LIVING or (line.status is LineStatus.FROZEN and actor is Actor.PERSON):
        return conflict(line, "it cannot be frozen")
    if stopped and until_on is not None:
        return conflict(line, f"no date ends that, since {STOPPED}")
    return None


def problem_of_limit(line: Line, limit_minor: int, actor: Actor, product: Product) -> Problem | None:
    """Why a limit may not be set: a person only lowers it, staff keep to the product's range."""
    if line.status not in LIVING:
        return conflict(line, "its limit stays")
    if actor is Actor.PERSON:
        if 0 <= limit_minor <= line.limit_minor:
            return None
        return invalid_field("/limit_minor", f"You may lower it, from {line.limit_minor}.")
    return problem_of_range(limit_minor, product)


def limited(state: LineState, limit_minor: int, actor: Actor, product: Product, on: date) -> Line:
    """The line with another permanent limit.

    A raise that runs is over when the person sets the limit (as it is: then the raise is declined), or when it does not
    fit the new limit.
    """
    line = without_ended_raise(state.line, state.taken_minor, on)
    temporary_minor = line.temporary_limit_minor
    if temporary_minor is not None:
        fits = limit_minor < temporary_minor <= most_raised(limit_minor, product)
        if actor is Actor.PERSON or not fits:
            line = raise_over(line, state.taken_minor)
    return _with_limit(line, limit_minor, state.taken_minor)


def _with_limit(line: Line, limit_minor: int, taken_minor: int) -> Line:
    """The line with a permanent limit, and how much of what is taken one before it had allowed."""
    earlier_minor = min(taken_minor, max(line.limit_minor, line.earlier_limit_minor or 0))
    earlier = earlier_minor if earlier_minor > limit_minor else None
    return replace(line, limit_minor=limit_minor, earlier_limit_minor=earlier)


def raised(state: LineState, limit_minor: int, until_on: date, on: date) -> Line:
    """The line with its limit raised for a time; a raise that runs is replaced, and may be lowered so."""
    line = without_ended_raise(state.line, state.taken_minor, on)
    kept_minor = line.ended_raise_minor
    if line.temporary_limit_minor is not None:
        kept_minor = _kept_minor(line, state.taken_minor, limit_minor)
    return replace(
        _with_limit(line, line.limit_minor, state.taken_minor),
        temporary_limit_minor=limit_minor,
        temporary_until_on=until_on,
        ended_raise_minor=kept_minor,
    )


def problem_of_raise(
    line: Line, limit_minor: int, until_on: date, actor: Actor, product: Product, on: date
) -> Problem | None:
    """Why a limit may not be raised for a time, up to a last date. A person only lowers or shortens a raise."""
    if line.status not in LIVING:
        return conflict(line, "its limit stays")
    if until_on < on:
        return invalid_field("/until", "A raise lasts to today or a later date.")
    if actor is Actor.PERSON:
        return _problem_of_own_raise(line, limit_minor, until_on, on)
    most = most_raised(line.limit_minor, product)
    if not line.limit_minor < limit_minor <= most:
        detail = f"From {line.limit_minor} it may be raised for a time to {most} minor units at most."
        return invalid_field("/limit_minor", detail)
    return None


def _problem_of_own_raise(line: Line, limit_minor: int, until_on: date, on: date) -> Problem | None:
    if line.temporary_limit_minor is None or line.temporary_until_on is None or not line.is_raised(on):
        return conflict(line, "no raise of its limit runs that you could lower")
    if not line.limit_minor < limit_minor <= line.temporary_limit_minor:
        detail = f"You may lower it, from {line.temporary_limit_minor} to above {line.limit_minor}."
        return invalid_field("/limit_minor", detail)
    if until_on > line.temporary_until_on:
        return invalid_field("/until", f"You may shorten it, from {line.temporary_until_on}.")
    return None


def most_raised(limit_minor: int, product: Product) -> int:
    """The highest temporary limit over a permanent one: the product's share of it more, inside the product's range."""
    more_minor = limit_minor * product.limit.temporary_max_ppm // PPM
    return min(product.limit.maximum_minor, limit_minor + more_minor)


def problem_of_mode(mode: Mode | None, product: Product) -> Problem | None:
    """Why no line of the product is opened in that mode. None asks for the product's first."""
    if mode is None or mode in product.modes:
        return None
    return invalid_field("/mode", f"This product has {' and '.join(product.modes)}.")


def problem_of_range(limit_minor: int, product: Product) -> Problem | None:
    """Why a product does not give that limit."""
    least, most = product.limit.minimum_minor, product.limit.maximum_minor
    if least <= limit_minor <= most:
        return None
    return invalid_field("/limit_minor", f"This product gives {least} to {most} minor units.")


def given_minor(lines: Iterable[Line], on: date) -> int:
    """What lines give together on a date: the limits of those that are not closed, raised ones as raised."""
    return sum(line.limit_on(on) for line in lines if line.status is not LineStatus.CLOSED)


def problem_of_person_max(limit_minor: int, others_minor: int, person_max_minor: int) -> Problem | None:
    """Why a limit may not be given beside a person's other lines: with them it is more than one person may hold.

    others_minor  what the other lines give (`given_minor`)
    """
    left_minor = max(0, person_max_minor - others_minor)
    if limit_minor <= left_minor:
        return None
    detail = f"To what one person may hold in all, {left_minor} minor units are left."
    return invalid_field("/limit_minor", detail)


def problem_of_due_day(
    line: Line, due_day: int, product: Product, changes: int, owed_on_bills_minor: int
) -> Problem | None:
    """Why a due day may not be chosen. The one that the line has always may: nothing is moved by it.

    changes  how often it was moved in the last 365 days
    """
    if line.status not in LIVING:
        return conflict(line, "its due day stays")
    if product.due_days is None:
        return invalid_field("/due_day", "Due days of this product are not chosen.")
    if due_day not in product.due_days.allowed:
        days = ", ".join(map(str, product.due_days.allowed))
        return invalid_field("/due_day", f"This product lets you choose from {days}.")
    if line.bill_day is None:
        return invalid_field("/due_day", "Each draw of this line has a due date of its own.")
    if coincide(due_day, line.bill_day):
        detail = f"Bills of this line come on day {line.bill_day}, in some month the same date: choose another day."
        return invalid_field("/due_day", detail)
    if due_on(line, due_day) == line:
        return None
    if owed_on_bills_minor:
        return Problem(Code.STATE_CONFLICT, "A bill is open. The due day can be moved once it is paid.")
    if changes >= product.due_days.changes_a_year:
        detail = (
            f"The due day was moved {changes} times in the last 365 days, which is as often as it may be."
        )
        return Problem(Code.STATE_CONFLICT, detail)
    return None


def due_on(line: Line, due_day: int) -> Line:
    """The line with its bills due on a day of the month, however they were due before."""
    return replace(line, due_day=due_day, due_after_days=None)


def conflict(line: Line, so: str) -> Problem:
    """The problem of a line whose state does not allow something."""
    return Problem(Code.STATE_CONFLICT, f"This line is {line.status.value}: {so}.")
