"""What ships is published under its number for good: a changed file needs a new one, and an old database takes it."""

from datetime import UTC, date, datetime

import pytest
from tests.credit.conftest import make_house, shipped

from wufeng import credit
from wufeng.base.database import Database
from wufeng.base.errors import ConfigurationError
from wufeng.credit.products.files import read_product, shipped_products
from wufeng.credit.products.model import OPENING, STANDARD, Mode, Shipped

NOON = datetime(2026, 11, 1, 4, 0, tzinfo=UTC)

PUBLISHED = {
    ("daily_interest", 1): "0123bb7c6c3126fec86bea03509535208492a49c3e5e29bac2cc27b75ebb75e5",
    ("monthly_bill", 1): "791135a653d71e97b7eafb78744020cbcfb2c8eb16cd20b555eb686743ac0907",
    ("order_instalments", 3): "af18708d0834fa36f6508c234bbf9a8d91b0bd061a1506dcb549b45b8229d4ea",
    ("pay_in_four", 1): "7fddd89164629cf6ad8a8a273aa296ac3518be7ca2c5b4f89ee7d5ce77492a06",
    ("study_now", 1): "36469d3c6e61c988db9f32ad13ee99c7e5a70484f9e04917d02b3dd73ebcf577",
}
"""SHA-256 of the file of every version that ships."""

FIRST_ORDER_INSTALMENTS = "8d676fb45be003b28396c956340c98b1f184ab7c1178db21ec8555ebf7187e8f"
"""Of its version 1, which books opened before have."""


def test_a_shipped_file_that_changes_has_a_new_number() -> None:
    for one in shipped_products():
        version = one.product.id, one.product.version
        assert PUBLISHED.get(version) == one.content_hash, (
            f"catalogue/products/{version[0]}.toml is not the version {version[1]} that was published, and books that "
            f"have it would refuse to start: give it version = {version[1] + 1} and an effective_from after the old "
            f"one's, and put its hash {one.content_hash} here"
        )


def first_order_instalments() -> Shipped:
    """Version 1 as it shipped: bills on the 1st, due on the 10th, and no due days to choose from."""
    source = shipped("order_instalments").source
    begin, end = source.index("# Bill mode"), source.index("[billing]")
    cycle = "# Bill mode: the due date is nine days after the bill.\n[cycle]\nbill_day = 1\ndue_day = 10\n\n"
    source = (source[:begin] + cycle + source[end:]).replace("version = 3", "version = 1", 1)
    source = source.replace("purchase_least_minor = 1_000\n", "")
    source = source.replace(" Purchases under\n# 10.00 stay on it.\n", "\n")
    return read_product(source.replace("2016-04-12", "2016-04-10", 1), "order_instalments.toml")


def test_version_1_is_what_was_published() -> None:
    assert first_order_instalments().content_hash == FIRST_ORDER_INSTALMENTS


async def test_a_database_with_version_1_takes_what_ships_and_old_lines_stay_as_they_are(
    database: Database,
) -> None:
    old, new = first_order_instalments(), shipped("order_instalments")
    others = [one for one in shipped_products() if one.product.id != old.product.id]
    async with database.transaction() as db:
        await credit.publish(db, [old, *others], NOON)
    async with database.transaction() as db:
        products = await credit.publish(db, shipped_products(), NOON)
    assert products.current("order_instalments", date(2026, 11, 1)) == new.product
    own = products.version("order_instalments", 1)
    assert own == old.product
    bills = own.calendar_in(Mode.BILL, date(2026, 10, 17))
    assert (bills.bill_day, bills.due_day) == (1, 10), "a line keeps the days of its version"  # type: ignore[union-attr]
    assert new.product.cycle is not None and new.product.cycle.bill_day == OPENING
    drawn = products.drawn_under("order_instalments", 1, STANDARD, date(2026, 11, 1))
    assert drawn.version == 3, "and draws by the prices in force"
    assert drawn.instalments.prices == own.instalments.prices


async def test_a_line_of_version_1_is_billed_as_it_was_opened(database: Database) -> None:
    house = await make_house(database, date(2026, 9, 17), source=first_order_instalments().source)
    payer = await house.payer(product="order_instalments", mode=Mode.BILL)
    async with database.transaction() as db:
        house.products.add((await credit.publish(db, shipped_products(), NOON)).versions())
    await house.buy(payer, 30_000)
    await house.turn_to(date(2026, 10, 2))
    (bill,) = await house.bills(payer)
    assert (bill.issued_on, bill.due_on) == (date(2026, 10, 1), date(2026, 10, 10))
    assert (await house.line(payer)).product == "order_instalments@1"


async def test_a_file_that_changed_under_its_number_is_refused_with_what_to_do(database: Database) -> None:
    old = first_order_instalments()
    changed = read_product(
        old.source.replace("suspend_after_days = 1", "suspend_after_days = 2"), "mine.toml"
    )
    async with database.transaction() as db:
        await credit.publish(db, [old], NOON)
    with pytest.raises(ConfigurationError, match="give the new one a new version"):
        async with database.transaction() as db:
            await credit.publish(db, [changed], NOON)
