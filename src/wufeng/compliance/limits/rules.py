"""Whether a payment stays within what its payer's account may pay: pure.

Sources: PBOC order 43 of 2015, article 11 (account classes, balance payments a day) and PBOC 2017 no. 296 (bar codes:
classes A to D). What is drawn on a credit line is outside the account's sums; by code it counts like everything else.
"""

from datetime import date

from wufeng.compliance.limits.model import Breach, CodeKind, Factors, LimitPolicy, Spend, Sums


def breaches(spend: Spend, sums: Sums, tier: int, policy: LimitPolicy, on: date) -> tuple[Breach, ...]:
    """The bounds that a payment of a business date would cross, given what its payer has paid; none: it may go on."""
    after = fold_spend(sums, spend, on)
    found = []
    if spend.balance_minor and _over_account(spend, after, tier, policy):
        found.append(Breach.ACCOUNT)
    if spend.code is not CodeKind.NONE and _over_code(spend, after, policy):
        found.append(Breach.CODE)
    return tuple(found)


def _over_account(spend: Spend, after: Sums, tier: int, policy: LimitPolicy) -> bool:
    bounds, day = policy.tiers[tier], policy.balance_day
    return (
        _over(after.balance_minor, bounds.since_opening_max_minor)
        or _over(after.balance_year_minor, bounds.year_max_minor)
        or (spend.factors is Factors.FEW and after.balance_few_minor > day.few_factors_max_minor)
        or (spend.factors is Factors.TWO and after.balance_two_minor > day.two_factors_max_minor)
    )


def _over_code(spend: Spend, after: Sums, policy: LimitPolicy) -> bool:
    day = policy.code_day
    if spend.code is CodeKind.STATIC:
        return after.static_minor > day.static_max_minor
    if spend.code is CodeKind.OFFLINE and (
        spend.amount_minor > policy.offline.payment_max_minor
        or after.offline_minor > policy.offline.day_max_minor
    ):
        return True
    if spend.factors is Factors.FEW:
        return after.code_few_minor > day.few_factors_max_minor
    return spend.factors is Factors.TWO and after.code_two_minor > day.two_factors_max_minor


def _over(sum_minor: int, max_minor: int | None) -> bool:
    return max_minor is not None and sum_minor > max_minor


def breaks_cooling(amount_minor: int, day_minor: int, policy: LimitPolicy) -> bool:
    """Whether a payment is too much for somebody whose phone and number have just changed.

    day_minor  what they have paid on the business date before it, by whatever means
    """
    bounds = policy.cooling
    return amount_minor > bounds.payment_max_minor or day_minor + amount_minor > bounds.day_max_minor


def fold_spend(sums: Sums, spend: Spend, on: date) -> Sums:
    """The sums after a payment that was let through. Refunds give nothing back: what was paid was paid."""
    return _moved(_begun(sums, on), spend, 1, in_year=True, on_day=True)


def fold_release(sums: Sums, spend: Spend, counted_on: date) -> Sums:
    """The sums after a part of a counted payment was let go instead of taken: it was never paid.

    counted_on  the business date it was counted on, or an earlier one: sums of another day or year stay as they are
    """
    on_day, in_year = sums.day_on == counted_on.toordinal(), sums.year == counted_on.year
    return _moved(sums, spend, -1, in_year=in_year, on_day=on_day)


def _begun(sums: Sums, on: date) -> Sums:
    """The sums that a payment of a business date adds to: those of earlier dates and years count as nothing. A date
    before theirs (a command that was late for its day, another process' clock) adds to theirs.
    """
    if sums.day_on >= on.toordinal():
        return sums
    year_minor = sums.balance_year_minor if sums.year == on.year else 0
    return Sums(on.toordinal(), on.year, sums.balance_minor, year_minor)


def _moved(sums: Sums, spend: Spend, sign: int, *, in_year: bool, on_day: bool) -> Sums:
    """The sums with a payment added or taken off. What was held before sums were kept stands in none of them."""
    few, two = spend.factors is Factors.FEW, spend.factors is Factors.TWO
    static, by_code = spend.code is CodeKind.STATIC, spend.code > CodeKind.STATIC
    offline = spend.code is CodeKind.OFFLINE

    def moved(sum_minor: int, amount_minor: int, counts: bool) -> int:  # noqa: FBT001
        return max(0, sum_minor + sign * amount_minor) if counts else sum_minor

    return Sums(
        day_on=sums.day_on,
        year=sums.year,
        balance_minor=moved(sums.balance_minor, spend.balance_minor, True),
        balance_year_minor=moved(sums.balance_year_minor, spend.balance_minor, in_year),
        balance_few_minor=moved(sums.balance_few_minor, spend.balance_minor, on_day and few),
        balance_two_minor=moved(sums.balance_two_minor, spend.balance_minor, on_day and two),
        static_minor=moved(sums.static_minor, spend.amount_minor, on_day and static),
        code_few_minor=moved(sums.code_few_minor, spend.amount_minor, on_day and by_code and few),
        code_two_minor=moved(sums.code_two_minor, spend.amount_minor, on_day and by_code and two),
        offline_minor=moved(sums.offline_minor, spend.amount_minor, on_day and offline),
    )
