"""What a payment says of its plan is what its quote said: parts, cost and yearly rate, of every shipped product."""

from typing import Any
from uuid import UUID

import msgspec
import pytest

from wufeng import credit
from wufeng.base.ids import Prefix, decode
from wufeng.credit import shipped_products
from wufeng.credit.lines.commands import OpenLine
from wufeng.credit.products.files import read_product
from wufeng.identity.merchants.model import Scene

from .conftest import PIN, Api, Person, Shop

AMOUNT_MINOR = 1_200_00
YES = {"confirmation": {"kind": "pin", "proof": PIN}}
PRODUCTS = [
    ("daily_interest", Scene.RETAIL, 1),
    ("study_now", Scene.EDUCATION, 6),
    ("monthly_bill", Scene.RETAIL, 12),
    ("order_instalments", Scene.RETAIL, 24),
    ("pay_in_weeks", Scene.RETAIL, 4),
]
SOURCE = next(one.source for one in shipped_products() if one.product.id == "pay_in_four")


async def publish_weeks(api: Api) -> None:
    """Parts every two weeks, of which the person pays the fee."""
    source = SOURCE.replace('id = "pay_in_four"', 'id = "pay_in_weeks"')
    source = source.replace("fee_ppm = 15_000, merchant_share_ppm = 1_000_000", "fee_ppm = 8_000")
    services = api.app.services
    async with services.database.transaction() as db:
        kept = await credit.publish(db, [read_product(source, "weeks.toml")], api.book.at(api.clock))
    services.products.add(kept.versions())


async def with_line(api: Api, product: str) -> Person:
    person = await api.new_person()
    person_id = decode(Prefix.PERSON, person.id)
    command = OpenLine(
        at=api.book.at(api.clock), people=(person_id,), person_id=person_id, product=product,
        limit_minor=400_000, staff_id=UUID(int=1), reason="test",
    )  # fmt: skip
    answer = await api.app.lanes.submit(api.book.bucket_of(person_id), command)
    assert not isinstance(answer, Exception)
    person.line = msgspec.json.decode(answer.body)["id"]
    return person


async def quoted(api: Api, person: Person, shop: Shop, tenor: int, amount_minor: int) -> dict[str, Any]:
    asked = {"merchant": shop.id, "amount_minor": amount_minor}
    answer = await api.post("/v1/quotes", person.token, asked, key=None)
    option: dict[str, Any] = next(one for one in answer.json()["options"] if one["tenor"] == tenor)
    return option


def said(shown: dict[str, Any]) -> tuple[Any, ...]:
    """The parts without their dates, and the rate: of an option, or of a payment's source."""
    parts = [
        (one["number"], one["principal_minor"], one["fee_minor"], one["amount_minor"])
        for one in shown["instalments"]
    ]
    return shown["tenor"], parts, shown["annualised_rate_ppm"]


@pytest.mark.parametrize(("product", "scene", "tenor"), PRODUCTS)
async def test_a_payment_says_the_price_of_its_quote(
    api: Api, product: str, scene: Scene, tenor: int
) -> None:
    await publish_weeks(api)
    person, shop = await with_line(api, product), await api.new_merchant(scene=scene)
    option = await quoted(api, person, shop, tenor, AMOUNT_MINOR)
    assert option["annualised_rate_ppm"] > 0 and option["total_cost_minor"] > 0
    body = {"order": api.order(shop, AMOUNT_MINOR), "quote_option": option["id"], **YES}
    paid = (await api.post("/v1/payments", person.token, body)).json()
    assert said(paid["funding"][0]) == said(option)
    assert (await api.get(f"/v1/payments/{paid['id']}", person.token)).json() == paid, "read from its row"
    events = (await api.get("/v1/events", shop.key)).json()["data"]
    [told] = [one["data"] for one in events if one["type"] == "payment.captured"]
    assert said(told["funding"][0]) == said(option)
    if tenor > 1:
        plan = (await api.get(f"/v1/plans/pln_{paid['funding'][0]['draw'][4:]}", person.token)).json()
        assert [plan[name] for name in ("total_cost_minor", "annualised_rate_ppm")] == [
            option[name] for name in ("total_cost_minor", "annualised_rate_ppm")
        ]


async def test_each_captured_part_has_the_price_of_its_own_plan(api: Api) -> None:
    """The first part is read from its row beside the second, and both again when the rest is let go."""
    person, shop = await with_line(api, "study_now"), await api.new_merchant(scene=Scene.EDUCATION)
    halves = said(await quoted(api, person, shop, 6, AMOUNT_MINOR // 2))
    held = (await api.pay(person, shop, 2 * AMOUNT_MINOR, capture="later", funding=[
        {"line": person.line, "tenor": 6}
    ])).json()  # fmt: skip
    part = {"amount_minor": AMOUNT_MINOR // 2, "final": False}
    path = f"/v1/payments/{held['id']}"
    first = (await api.post(f"{path}/capture", shop.key, part)).json()
    second = (await api.post(f"{path}/capture", shop.key, part)).json()
    let_go = (await api.post(f"{path}/void", shop.key)).json()
    assert [said(source) for source in first["funding"]] == [halves]
    assert [said(source) for source in second["funding"]] == [halves, halves]
    assert [said(source) for source in let_go["funding"]] == [halves, halves]


async def test_what_was_refunded_has_no_price(api: Api) -> None:
    person, shop = await with_line(api, "daily_interest"), await api.new_merchant()
    paid = (await api.pay(person, shop, AMOUNT_MINOR)).json()
    body = {"payment": paid["id"], "refund_no": "r1", "amount_minor": AMOUNT_MINOR, "reason": "back"}
    assert (await api.post("/v1/refunds", shop.key, body)).status_code == 201
    [source] = (await api.get(f"/v1/payments/{paid['id']}", person.token)).json()["funding"]
    assert said(source) == (1, [(1, 0, 0, 0)], 0)
