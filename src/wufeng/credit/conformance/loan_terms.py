"""A case's product and loan as the terms of ours; what we do not have is said, never left out."""

from calendar import isleap
from collections.abc import Mapping
from typing import Any

from wufeng.credit.conformance.model import Case, NotApplicableError
from wufeng.credit.conformance.numbers import day, minor, percent_ppm
from wufeng.credit.loans.model import ChargesDue, InterestBasis, LoanTerms, PaymentKind, ScheduleKind
from wufeng.credit.products.dates import Every
from wufeng.credit.products.model import Levelling, Method, Pieces
from wufeng.credit.rates.model import DayCount
from wufeng.credit.waterfall.model import Age, Component, Future, Order, Processing, Step, Waterfall
from wufeng.credit.waterfall.rules import order_of

PENALTY, FEE, INTEREST, PRINCIPAL = Component
FUTURES = {
    "NEXT_INSTALLMENT": Future.NEXT,
    "LAST_INSTALLMENT": Future.LAST,
    "REAMORTIZATION": Future.EVENLY,
}
KINDS = {
    "DEFAULT": PaymentKind.REPAYMENT,
    "GOODWILL_CREDIT": PaymentKind.GOODWILL_CREDIT,
    "MERCHANT_ISSUED_REFUND": PaymentKind.MERCHANT_REFUND,
    "PAYOUT_REFUND": PaymentKind.PAYOUT_REFUND,
}
_BY_THE_BOOK = (PENALTY, FEE, INTEREST, PRINCIPAL)
_PRINCIPAL_BEFORE_FEES = (PENALTY, INTEREST, PRINCIPAL, FEE)
_PAST_OR_DUE = (Age.PAST_DUE, Age.DUE)


def _due_and_in_advance(due: tuple[Component, ...], in_advance: tuple[Component, ...]) -> Waterfall:
    return Waterfall(
        (Order(order_of(due, *_PAST_OR_DUE).steps + order_of(in_advance, Age.IN_ADVANCE).steps),)
    )


PRESETS = {
    "PENALTIES_FEES_INTEREST_PRINCIPAL_ORDER": Waterfall((order_of(_BY_THE_BOOK),)),
    "DUE_PENALTY_FEE_INTEREST_PRINCIPAL_IN_ADVANCE_PRINCIPAL_PENALTY_FEE_INTEREST": _due_and_in_advance(
        _BY_THE_BOOK, (PRINCIPAL, PENALTY, FEE, INTEREST)
    ),
    "DUE_PENALTY_INTEREST_PRINCIPAL_FEE_IN_ADVANCE_PENALTY_INTEREST_PRINCIPAL_FEE": _due_and_in_advance(
        _PRINCIPAL_BEFORE_FEES, _PRINCIPAL_BEFORE_FEES
    ),
    "ADVANCED_PAYMENT_ALLOCATION": Waterfall((order_of(_BY_THE_BOOK),)),
}


def terms_of_case(case: Case) -> LoanTerms:
    """The terms. Raises NotApplicableError with what is missing."""
    product, loan = case["product"], case["loan"]
    _refuse_what_is_missing(product, loan)
    progressive = product.get("schedule_type") == "PROGRESSIVE"
    return LoanTerms(
        tenor=loan["number_of_repayments"],
        every=every(loan["repay_every"], loan["repay_unit"]),
        waterfalls=_waterfalls(product, loan),
        kind=ScheduleKind.PROGRESSIVE if progressive else ScheduleKind.CLASSIC,
        annual_ppm=percent_ppm(loan["annual_rate_percent"]),
        method=_method(loan),
        day_count=_day_count(product, loan, progressive=progressive),
        multiple_minor=_multiple(product, loan),
        levelling=Levelling.ONCE if progressive else Levelling.NONE,
        basis=InterestBasis.DAILY if product.get("interest_recalculation") else InterestBasis.PLAN,
        pieces=_pieces(product),
        down_payment_ppm=percent_ppm(product["down_payment_percent"]) if product.get("down_payment") else 0,
        down_payment_posted=bool(product.get("down_payment_auto_paid")),
        charges_due=_charges_due(product, loan),
        principal_grace=loan.get("grace_on_principal") or 0,
    )


def _charges_due(product: Mapping[str, Any], loan: Mapping[str, Any]) -> ChargesDue:
    strategy = loan.get("payment_strategy") or product.get("product_payment_strategy")
    return ChargesDue.ON_THEIR_DAY if strategy == DUE_CHARGES_FIRST else ChargesDue.WITH_INSTALMENT


DUE_CHARGES_FIRST = "DUE_PENALTY_FEE_INTEREST_PRINCIPAL_IN_ADVANCE_PRINCIPAL_PENALTY_FEE_INTEREST"


def every(count: int, unit: str) -> Every:
    """A distance between due dates."""
    match unit:
        case "DAYS":
            return Every(days=count)
        case "WEEKS":
            return Every(weeks=count)
        case "MONTHS":
            return Every(months=count)
        case "YEARS":
            return Every(months=12 * count)
        case _:
            raise NotApplicableError(f"repayments every {count} {unit}")


def _refuse_what_is_missing(product: Mapping[str, Any], loan: Mapping[str, Any]) -> None:
    if product.get("interest_recalculation") and product.get("schedule_type") != "PROGRESSIVE":
        raise NotApplicableError("interest that is computed anew on a classic schedule")
    if product.get("compounding") not in (None, "NONE"):
        raise NotApplicableError("interest on interest")
    if product.get("overdue_charge"):
        raise NotApplicableError("a late fee as a percentage, charged by the night's run")
    if loan.get("grace_on_interest"):
        raise NotApplicableError("grace on interest (the source's rows do not follow its parameters)")
    if loan["number_of_repayments"] > MOST_INSTALMENTS:
        raise NotApplicableError(f"more than {MOST_INSTALMENTS} instalments")
    if product.get("digits_after_decimal", 2) != 2:
        raise NotApplicableError("a currency without two decimal places")


MOST_INSTALMENTS = 1_200
"""A hundred years of months."""


def _multiple(product: Mapping[str, Any], loan: Mapping[str, Any]) -> int:
    """Instalments are rounded to multiples; equal parts of principal are none, and are not."""
    multiple = product.get("installment_amount_in_multiples_of")
    return minor(multiple) if multiple and _method(loan) is not Method.EQUAL_PRINCIPAL else 1


def _pieces(product: Mapping[str, Any]) -> Pieces:
    """The source rounds pieces one by one where interest is recalculated, and in the tests of its calculator."""
    return Pieces.EACH if product.get("interest_recalculation") or product.get("rounding") else Pieces.ADDED


def _method(loan: Mapping[str, Any]) -> Method:
    if loan.get("interest_type") == "FLAT":
        return Method.FLAT
    match loan.get("amortization", "EQUAL_INSTALLMENTS"):
        case "EQUAL_INSTALLMENTS":
            return Method.EQUAL_PAYMENT
        case "EQUAL_PRINCIPAL_PAYMENTS":
            return Method.EQUAL_PRINCIPAL
        case other:
            raise NotApplicableError(f"amortization {other}")


def _day_count(product: Mapping[str, Any], loan: Mapping[str, Any], *, progressive: bool) -> DayCount:
    """A classic schedule takes whole months, or by the day the year of its start throughout."""
    year = str(product.get("days_in_year", "ACTUAL"))
    if not progressive and loan.get("interest_calculation_period") != "DAILY":
        return DayCount.THIRTY_360
    if year == "360":
        month = str(product.get("days_in_month"))
        return DayCount.ACTUAL_360 if month == "ACTUAL" else DayCount.THIRTY_360
    if year == "365":
        return DayCount.ACTUAL_365
    if year != "ACTUAL":
        raise NotApplicableError(f"a year of {year} days")
    if progressive:
        return DayCount.ACTUAL_ACTUAL_BY_END
    return DayCount.ACTUAL_366 if isleap(day(loan["submitted"]).year) else DayCount.ACTUAL_365


def _waterfalls(product: Mapping[str, Any], loan: Mapping[str, Any]) -> dict[PaymentKind, Waterfall]:
    preset = loan.get("payment_strategy") or product.get("product_payment_strategy")
    allocation = product.get("payment_allocation")
    if allocation and preset in (None, "ADVANCED_PAYMENT_ALLOCATION"):
        vertical = product.get("schedule_processing") == "VERTICAL"
        processing = Processing.VERTICAL if vertical else Processing.HORIZONTAL
        return {KINDS[name]: _waterfall(rule, processing) for name, rule in allocation.items()}
    try:
        return {PaymentKind.REPAYMENT: PRESETS[preset or "ADVANCED_PAYMENT_ALLOCATION"]}
    except KeyError:
        raise NotApplicableError(f"the payment strategy {preset}") from None


def _waterfall(rule: Mapping[str, Any], processing: Processing) -> Waterfall:
    steps = tuple(_step(name) for name in rule["order"])
    return Waterfall((Order(steps),), processing, FUTURES[rule["future_installments"]])


def _step(name: str) -> Step:
    for age in Age:
        prefix = f"{age.value.upper()}_"
        if name.startswith(prefix):
            return Step(age, Component(name.removeprefix(prefix).lower()))
    raise NotApplicableError(f"{name} in an order of payment")
