"""Whether what pays has another price, or other dates, on the day on which it is carried out than when it was named."""

from datetime import date
from uuid import UUID

from wufeng.base.errors import Problem, invalid_field
from wufeng.credit import Line, PriceOption, calendar_of, price_options
from wufeng.payments.catalogue import Catalogue
from wufeng.payments.pay.model import Funding
from wufeng.payments.pay.rules import funding_parts
from wufeng.payments.pay.state import Table


def problem_of_new_day(
    table: Table, payer_id: UUID, funding: Funding, amount_minor: int, named_on: date, on: date
) -> Problem | None:
    """Why a funding that its payer named on one business date does not pay on another: the price shown is the price
    paid, or none is. None: it draws nothing, or the same plan on both.
    """
    if named_on == on or funding.line_id is None:
        return None
    state = table.states[payer_id]
    _, credit_minor = funding_parts(funding, amount_minor, state.wallet_minor)
    owned = state.lines.get(funding.line_id)
    if owned is None or not credit_minor:
        return None
    named, now = (
        _price_on(table.catalogue, owned.line, funding, credit_minor, day_on) for day_on in (named_on, on)
    )
    if (named.executed if named else None) == (now.executed if now else None):
        return None
    return invalid_field(
        "/quote_option",
        "Since midnight this payment has another price or other dates: choose again what pays it.",
    )


def _price_on(
    catalogue: Catalogue, line: Line, funding: Funding, credit_minor: int, on: date
) -> PriceOption | None:
    """None: the line has no such plan of the amount on that date."""
    product = catalogue.drawn_under(line, on)
    calendar, share_ppm = calendar_of(line, product), funding.merchant_share_ppm
    found = price_options(product, calendar, credit_minor, on, share_ppm, (funding.tenor,))
    return found[0] if found else None
