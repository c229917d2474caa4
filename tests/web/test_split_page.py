"""The page on which a bill is put into instalments: the choice is the person's, and what it says is so."""

import re

from wufeng.base.ids import Prefix, decode
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


async def test_a_plan_whose_settling_is_under_way_is_not_settled_twice(street: Street) -> None:
    shopper, (merchant, _) = await street.person(limit_minor=840_000), await street.shop()
    order = InlineOrder(
        order_no="B2", amount_minor=129_900, currency="CNY", subject="Oak desk", merchant=merchant.id
    )
    pin = Confirmation(kind="pin", proof=PIN)
    await shopper.api.payments.create(
        order=order, funding=[Source(line=shopper.line, tenor=3)], confirmation=pin
    )
    await shopper.browser.post("/app/bank-accounts", bank="ICBC", number="6222020000012208", next="/app/me")
    bucket = street.app.books.named("test").bucket_of(decode(Prefix.PERSON, shopper.person.id))
    await street.app.bank.verify_due(bucket)
    (account,) = [account async for account in shopper.api.bank_accounts.list()]
    credit = await shopper.browser.get(f"/app/credit?line={shopper.line}")
    path = re.findall(r'href="(/app/plans/[^"]+)"', credit.text)[0]
    pages = [await shopper.browser.get(path) for _ in range(2)]
    form = {"source": account.id}
    leads_to(await shopper.browser.post(f"{path}/settle", **form, key=key_of(pages[0])))
    again = await shopper.browser.post(f"{path}/settle", **form, key=key_of(pages[1]))
    said = text_of(again)
    assert again.status_code == 409 and "Settling it is under way" in said
    assert "This source cannot pay that" not in said and "/settle" not in again.text
