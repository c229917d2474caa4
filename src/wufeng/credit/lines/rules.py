"""What a line's arrears make of it, and which changes it allows."""

from datetime import date, timedelta

from msgspec.structs import replace

from wufeng.base.errors import Code, Problem, invalid_field
from wufeng.credit.lines.model import Actor, Line, LineState, LineStatus
from wufeng.credit.products.model import Product


def with_arrears(line: Line, past_due_since: date | None, product: Product, on: date) -> Line:
    """The line with its arrears as they are on a date: suspended once they are old enough, open again without them."""
    status, suspend_on = line.status, None
    if status is LineStatus.SUSPENDED and past_due_since is None:
        status = LineStatus.OPEN
    if status is LineStatus.OPEN and past_due_since is not None:
        suspend_on = past_due_since + timedelta(days=product.arrears.suspend_after_days)
        if suspend_on <= on:
            status, suspend_on = LineStatus.SUSPENDED, None
    return replace(line, status=status, past_due_since=past_due_since, suspend_on=suspend_on)


def frozen(line: Line) -> Line | None:
    """The line frozen; None when its state does not allow it."""
    if line.status not in (LineStatus.OPEN, LineStatus.SUSPENDED):
        return None
    return replace(line, status=LineStatus.FROZEN, suspend_on=None)


def unfrozen(line: Line, product: Product, on: date) -> Line | None:
    """The line as it would be had it not been frozen: open, or suspended by its arrears; None when it is not frozen."""
    if line.status is not LineStatus.FROZEN:
        return None
    return with_arrears(replace(line, status=LineStatus.OPEN), line.past_due_since, product, on)


def may_close(state: LineState, owed_minor: int) -> bool:
    """Whether a line can be closed now: nothing used, held or owed in interest and fees."""
    return state.used_minor == 0 and state.held_minor == 0 and owed_minor == 0


LIVING = frozenset({LineStatus.OPEN, LineStatus.FROZEN, LineStatus.SUSPENDED})
"""States in which a line's terms may be changed."""


def problem_of_limit(line: Line, limit_minor: int, actor: Actor, product: Product) -> Problem | None:
    """Why a limit may not be set: a person only lowers it, staff keep to the product's range."""
    if line.status not in LIVING:
        return conflict(line, "its limit stays")
    if actor is Actor.PERSON:
        if 0 <= limit_minor <= line.limit_minor:
            return None
        return invalid_field("/limit_minor", f"You may lower it, from {line.limit_minor}.")
    return problem_of_range(limit_minor, product)


def problem_of_range(limit_minor: int, product: Product) -> Problem | None:
    """Why a product does not give that limit."""
    least, most = product.limit.minimum_minor, product.limit.maximum_minor
    if least <= limit_minor <= most:
        return None
    return invalid_field("/limit_minor", f"This product gives {least} to {most} minor units.")


def problem_of_due_day(
    line: Line, due_day: int, product: Product, changes: int, owed_on_bills_minor: int
) -> Problem | None:
    """Why a due day may not be chosen. changes: how often it was moved in the last 365 days."""
    if line.status not in LIVING:
        return conflict(line, "its due day stays")
    if due_day not in product.due_days.allowed:
        days = ", ".join(map(str, product.due_days.allowed))
        return invalid_field("/due_day", f"This product lets you choose from {days}.")
    if owed_on_bills_minor:
        return Problem(Code.STATE_CONFLICT, "A bill is open. The due day can be moved once it is paid.")
    if changes >= product.due_days.changes_a_year:
        detail = (
            f"The due day was moved {changes} times in the last 365 days, which is as often as it may be."
        )
        return Problem(Code.STATE_CONFLICT, detail)
    return None


def conflict(line: Line, so: str) -> Problem:
    """The problem of a line whose state does not allow something."""
    return Problem(Code.STATE_CONFLICT, f"This line is {line.status.value}: {so}.")
