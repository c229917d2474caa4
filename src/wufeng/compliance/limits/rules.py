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
    same_day, same_year = sums.day_on == on.toordinal(), sums.year == on.year
    few, two = spend.factors is Factors.FEW, spend.factors is Factors.TWO
    static, by_code = spend.code is CodeKind.STATIC, spend.code > CodeKind.STATIC
    offline = spend.code is CodeKind.OFFLINE

    def day(sum_minor: int, amount_minor: int, counts: bool) -> int:  # noqa: FBT001
        return (sum_minor if same_day else 0) + (amount_minor if counts else 0)

    return Sums(
        day_on=on.toordinal(),
        year=on.year,
        balance_minor=sums.balance_minor + spend.balance_minor,
        balance_year_minor=(sums.balance_year_minor if same_year else 0) + spend.balance_minor,
        balance_few_minor=day(sums.balance_few_minor, spend.balance_minor, few),
        balance_two_minor=day(sums.balance_two_minor, spend.balance_minor, two),
        static_minor=day(sums.static_minor, spend.amount_minor, static),
        code_few_minor=day(sums.code_few_minor, spend.amount_minor, by_code and few),
        code_two_minor=day(sums.code_two_minor, spend.amount_minor, by_code and two),
        offline_minor=day(sums.offline_minor, spend.amount_minor, offline),
    )
