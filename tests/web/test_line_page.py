"""The settings of a credit line as a browser without scripts meets them."""

import re
from datetime import date

import pytest

from .test_consumer import Street, key_of, leads_to, street, text_of

__all__ = ["street"]


async def test_a_person_lowers_declines_moves_freezes_and_closes(street: Street) -> None:
    shopper = await street.person(limit_minor=500_000)
    path, browser = f"/app/lines/{shopper.line}", shopper.browser
    raised = await street.staff.lines.set_limit(
        shopper.line, limit_minor=550_000, until=date(2026, 9, 20), reason="the autumn sale"
    )
    assert (raised.limit_minor, raised.effective_limit_minor) == (500_000, 550_000)
    assert path in (await browser.get("/app/credit")).text
    page = text_of(await browser.get(path))
    for said in (
        "Your prices",
        "Standard",
        "15.86%",
        "17.07%",
        "¥5,000.00",
        "Raised until",
        "¥5,500.00",
        "by the staff: the autumn sale",
        "Line opened",
    ):
        assert said in page
    assert leads_to(await browser.post(f"{path}/decline")) == path
    page = text_of(await browser.get(path))
    assert "Raised until" not in page and "by you" in page
    for wrong in ("", "x", "5000.01"):
        refused = await browser.post(f"{path}/limit", limit=wrong)
        assert (refused.status_code, "not above your limit" in text_of(refused)) == (422, True), wrong
    assert leads_to(await browser.post(f"{path}/limit", limit="3,000")) == path
    assert leads_to(await browser.post(f"{path}/due-day", due_day="20")) == path
    assert (await browser.post(f"{path}/due-day", due_day="21")).status_code == 422
    for wrong in ("x", "2026-09-03"):
        assert (await browser.post(f"{path}/freeze", until=wrong)).status_code == 422
    assert leads_to(await browser.post(f"{path}/freeze", until="2026-09-10")) == path
    assert "It opens again by itself on" in text_of(await browser.get(path))
    line = await shopper.api.lines.get(shopper.line)
    assert (line.limit_minor, line.status, line.frozen_until_on) == (300_000, "frozen", date(2026, 9, 10))
    key = key_of(await browser.get(path))
    assert leads_to(await browser.post(f"{path}/close", key=key)) == path
    page = text_of(await browser.get(path))
    assert "Close this line" not in page and "Line closed" in page


async def test_a_due_day_is_refused_for_what_is_so(street: Street) -> None:
    """A line whose bills come on the day of its opening: that day is not offered, and no choice is no day."""
    shopper = await street.person()
    await street.turn(2)
    opened = await street.staff.lines.open(
        person=shopper.person.id,
        product="order_instalments",
        mode="bill",
        limit_minor=500_000,
        reason="test",
    )
    path = f"/app/lines/{opened.id}"
    page = (await shopper.browser.get(path)).text
    days = re.findall(r'<option value="(\d*)"', page)
    assert days[0] == "" and days[1:] == ["1", "10", "15", "20", "25"], "its bills come on the 5th"
    assert '<option value="" selected disabled>' in page, "no value is sent for it"
    for wrong in ("", "5", "31"):
        refused = await shopper.browser.post(f"{path}/due-day", due_day=wrong)
        assert (refused.status_code, "Choose one of these days." in text_of(refused)) == (422, True), wrong
    for day in ("15", "10"):
        assert leads_to(await shopper.browser.post(f"{path}/due-day", due_day=day)) == path
    refused = await shopper.browser.post(f"{path}/due-day", due_day="15")
    assert (refused.status_code, "as often in the last 365 days" in text_of(refused)) == (409, True)
    shopper.browser.http.headers["accept-language"] = "zh-CN"
    refused = await shopper.browser.post(f"{path}/due-day", due_day="")
    assert "请从以下日期中选择" in text_of(refused)


async def test_a_line_of_another_is_not_there(street: Street) -> None:
    owner, other = await street.person(limit_minor=500_000), await street.person(limit_minor=500_000)
    path = f"/app/lines/{owner.line}"
    assert (await other.browser.get(path)).status_code == 404
    for what in ("limit", "decline", "freeze", "due-day", "close"):
        answer = await other.browser.post(f"{path}/{what}", limit="1", due_day="20", key="0" * 32)
        assert answer.status_code == 404, what
    assert (await owner.api.lines.get(owner.line)).limit_minor == 500_000


@pytest.mark.parametrize(("language", "said"), [("zh-CN", "额度变更记录"), ("en", "What was done")])
async def test_the_page_speaks_both_languages(street: Street, language: str, said: str) -> None:
    shopper = await street.person(limit_minor=500_000)
    shopper.browser.http.headers["accept-language"] = language
    assert said in text_of(await shopper.browser.get(f"/app/lines/{shopper.line}"))
