"""What a line's arrears make of it, and which changes it allows."""

from datetime import date, timedelta

from msgspec.structs import replace

from wufeng.credit.lines.model import Line, LineState, LineStatus
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
