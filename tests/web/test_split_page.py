"""The page on which a bill is put into instalments: the choice is the person's, and what it says is so."""

import re

from wufeng.client import Confirmation, InlineOrder, Source
from wufeng.web.texts import translations

from .test_consumer import PIN, Street, key_of, leads_to, street, text_of

__all__ = ["street"]


async def test_no_price_is_chosen_beforehand_and_none_is_no_plan(street: Street) -> None:
    shopper, (merchant, _) = await street.person(limit_minor=840_000), await street.shop()
    order = InlineOrder(
        order_no="B1", amount_minor=129_900, currency="CNY", subject="Oak desk", merchant=merchant.id
    )
    pin = Confirmation(kind="pin", proof=PIN)
    await shopper.api.payments.create(
        order=order, funding=[Source(line=shopper.line, tenor=1)], confirmation=pin
    )
    await street.turn(30)
    (bill,) = [bill async for bill in shopper.api.bills.list(line=shopper.line)]
    path = f"/app/bills/{bill.id}/split"
    page = await shopper.browser.get(path)
    said = text_of(page)
    assert "checked" not in page.text and "first 2 × ¥443.83, the last ¥443.82" in said
    assert "of the cost falls away" in said and "all the same" not in said
    form = {"key": key_of(page), "amount": "1299.00", "pin": PIN}
    again = await shopper.browser.post(path, **form)
    assert again.status_code == 200 and "checked" not in again.text, (
        "without a price there is nothing to sign"
    )
    (three, *_) = re.findall(r'name="option" value="([^"]+)"', page.text)
    looked = await shopper.browser.post(path, **form, option=three, look="1")
    assert looked.text.count("checked") == 1, "what was chosen stays chosen"
    assert leads_to(await shopper.browser.post(path, **form, option=three)).startswith("/app/plans/")


def test_both_words_on_settling_early_are_in_both_languages() -> None:
    cost = "It cannot be taken back. You can settle it early on any day; what is not billed yet of the cost "
    zh = translations("zh")
    for end in ("falls away.", "is paid all the same."):
        assert zh.gettext(cost + end) != cost + end
