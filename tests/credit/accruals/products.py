"""A product whose interest is not straight: plans by a yearly rate, late interest with a least and a cap."""

from tests.credit.conftest import shared_product


def yearly_product(early: str = "dropped") -> str:
    """The monthly bill of two lenders, its plans at 12 and 18 % a year; late interest is a fen a day at least, 0.6 % at
    most.
    """
    source = shared_product()
    begin, end = source.index("prices = ["), source.index("# A bill may be put into instalments")
    prices = (
        "prices = [{ tenor = 3, annual_ppm = 120_000, method = 'equal_payment' },"
        " { tenor = 6, annual_ppm = 180_000, method = 'equal_principal' }]\n"
        f'early = "{early}"\n'
    )
    source = source[:begin] + prices + source[end:]
    tiers = source[source.index("# What people of good") : source.index("[[lenders]]")]
    return source.replace(tiers, "").replace(
        "late_daily_ppm = 500", "late_daily_ppm = 600\nlate_least_minor = 1\nlate_most_ppm = 6_000"
    )
