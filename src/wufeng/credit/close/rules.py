"""What the set-based close may do, and the dates and texts it is given: pure."""

from datetime import date
from functools import cache

import msgspec

from wufeng.credit.products.model import Cycle, Pieces, Product, Rest, Rounding
from wufeng.credit.texts import texts

SLICE_LEAST, SLICE_MOST = 500, 2_000
"""Lines of one transaction. Long ones weigh less, but their people wait longer: with 2,000 the slowest hundredth of
payments waited 3.1 s beside a close of everybody, with 500 0.8 s."""

_DAYS = range(1, 32)


def next_by_day(on: date) -> list[date]:
    """The first date after `on` with each day of the month: the first is the next 1st.

    A line's next bill is that of its bill day, a bill's due date that of the line's due day (`Cycle`).
    """
    return [Cycle(day, day).due_on(on) for day in _DAYS]


def is_plain(product: Product) -> bool:
    """Whether bills of a product are sums of its draws' parts, due on a day of the month, free until they are due.

    A new kind of term makes a product one that sets do not know: a test holds that every term is looked at here. A tier
    changes what draws cost, which stands in their rows, and bears no daily interest where the product bears none.
    """
    billing, minimum, interest = product.billing, product.minimum, product.interest
    return (
        product.cycle is not None
        and billing.grace_days == 0
        and not billing.bank_days
        and minimum.rest is Rest.BILL
        and minimum.whole_up_to_minor == 0
        and interest.daily_ppm == 0
        and interest.late_most_ppm is None
        and product.rounding.interest is Rounding.HALF_EVEN
        and product.rounding.pieces is Pieces.ADDED
    )


def next_slice(lines: int, waiting: int) -> int:
    """How many lines the next slice takes: twice as many while nobody waits for a lock, else the least."""
    return SLICE_LEAST if waiting else min(SLICE_MOST, 2 * lines)


@cache
def bill_texts() -> dict[str, str]:
    """What the parts of a bill are called in events, as JSON between its quotes; `{count}` is filled in row by row."""
    codes = ("purchases", "instalments", "instalment_fees", "interest")
    return {code: msgspec.json.encode(texts()[code].zh).decode()[1:-1] for code in codes}
