"""Family cards and rides as a browser without scripts meets them."""

import html
import re

from tests.api.conftest import PIN, Person
from tests.api.test_pay_codes import code_of

from wufeng.identity.merchants.model import Scene

from .conftest import Town
from .visitor import Seen, Visitor

MUM, SON = "+8613700000021", "+8613700000022"


def text_of(seen: Seen) -> str:
    """What a page says, without its tags."""
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", seen.text)))


async def make(owner: Visitor, person: Person, **more: str) -> Seen:
    form = {
        "key": (await owner.get("/app/family/new")).field("key"),
        "phone": "137 0000 0022",
        "name": "Son",
        "source": person.wallet,
        "month_cap": "300",
        "pin": PIN,
        **more,
    }
    return await owner.post("/app/family", form)


async def a_family(town: Town) -> tuple[Visitor, Visitor, Person, Person, str]:
    """Owner and spender with their browsers, and the path of the card between them."""
    mum = await town.api.new_person(phone=MUM, wallet_minor=1_000_00)
    son = await town.api.new_person(phone=SON)
    owner, spender = town.visitor(token=mum.token), town.visitor(token=son.token)
    made = await make(owner, mum)
    assert made.status == 303, text_of(made)
    return owner, spender, mum, son, made.location


async def test_a_card_is_given_accepted_paid_with_and_stopped(town: Town) -> None:
    owner, spender, _, _, card = await a_family(town)
    assert "Has not accepted yet" in text_of(await owner.get("/app/family"))
    invited = text_of(await spender.get("/app/family"))
    assert "137****0021 lets you spend" in invited and "Up to ¥300.00 a month." in invited
    assert (await spender.post(f"{card}/move", {"move": "accept"})).status == 303
    shop = await town.api.new_merchant()
    checkout = f"/checkout/{await town.checkout(shop, 30_00)}"
    page = await spender.get(checkout)
    assert "Family card · Son" in text_of(page)
    paid = await spender.post(
        checkout, {"key": page.field("key"), "option": card.rpartition("/")[2], "pin": PIN}
    )
    assert paid.status == 303, text_of(paid)
    receipt = await spender.get(paid.location)
    assert receipt.status == 200 and "30.00" in text_of(receipt)
    for reader in (owner, spender):
        page = await reader.get(card)
        assert "270.00" in text_of(page) and "¥30.00 of ¥300.00 used" in text_of(page)
        assert paid.location in page.text
        assert (await reader.get(paid.location)).status == 200
    assert paid.location in (await owner.get("/app/activity")).text
    assert (await owner.post(f"{card}/move", {"move": "stop"})).status == 303
    assert "Stopped" in text_of(await owner.get(card))
    assert card not in (await spender.get(f"/checkout/{await town.checkout(shop, 1_00)}")).text
    assert (await owner.post(f"{card}/move", {"move": "resume"})).status == 409


async def test_what_needs_the_pin_waits_for_the_spender_alone(town: Town) -> None:
    owner, spender, _, _, card = await a_family(town)
    await spender.post(f"{card}/move", {"move": "accept"})
    shop = await town.api.new_merchant()
    checkout = f"/checkout/{await town.checkout(shop, 250_00)}"
    page = await spender.get(checkout)
    asked = await spender.post(checkout, {"key": page.field("key"), "option": card.rpartition("/")[2]})
    assert asked.status == 303
    assert "asks for" not in text_of(await owner.get("/app")), "the owner is not asked"
    waiting = await spender.get(asked.location)
    assert "Its owner pays and sees the payment" in text_of(waiting)
    form = {"key": waiting.field("key"), "option": "family_card", "pin": PIN}
    done = await spender.post(f"{asked.location}/confirm", form)
    assert done.status == 303 and "¥250.00 of ¥300.00 used" in text_of(await owner.get(card))


async def test_forms_say_what_is_wrong_with_them(town: Town) -> None:
    mum = await town.api.new_person(phone=MUM)
    owner = town.visitor(token=mum.token)
    for field, value, said in (
        ("phone", "137 0000 0021", "somebody else"),
        ("phone", "12", "somebody else"),
        ("name", " ", "1 to 20"),
        ("month_cap", "x", "above zero"),
        ("month_cap", "99999999", "above zero"),
        ("payment_cap", "300.01", "not above the month's"),
        ("source", "wal_none", "Choose one of these"),
        ("pin", "000000", "No card was made"),
    ):
        answer = await make(owner, mum, **{field: value})
        assert answer.status in (403, 422) and said in text_of(answer), (field, value, text_of(answer))


async def test_caps_change_with_and_without_the_pin(town: Town) -> None:
    owner, spender, _, _, card = await a_family(town)
    await spender.post(f"{card}/move", {"move": "accept"})

    async def set_cap(month_cap: str, pin: str = "") -> Seen:
        key = (await owner.get(card)).field("key")
        return await owner.post(f"{card}/caps", {"key": key, "month_cap": month_cap, "pin": pin})

    assert (await set_cap("100")).status == 303
    refused = await set_cap("200")
    assert refused.status == 403 and "takes your right PIN" in text_of(refused)
    assert (await set_cap("200", PIN)).status == 303
    assert (await spender.post(f"{card}/caps", {"key": "0" * 32, "month_cap": "1"})).status == 404


async def test_rides_are_shown_by_day_and_a_debt_is_paid(town: Town) -> None:
    api = town.api
    person, gate = await api.new_person(line_minor=500_00), await api.new_merchant(scene=Scene.TRANSPORT)
    rider = town.visitor(token=person.token)
    assert "No rides yet" in text_of(await rider.get("/app/rides"))
    for n, fare in enumerate((20_00, 20_00)):
        code = (await code_of(api, person))["code"]
        tap = {"pay_code": code, "fare_minor": fare, "ride_no": f"line-2-{n}"}
        assert (await api.post("/v1/rides", gate.key, tap)).status_code == 201
    shown = text_of(await rider.get("/app/rides"))
    for said in ("30.00", "2 rides", "¥10.00 above the day's cap are free", "line-2-1", "not charged"):
        assert said in shown, said
    await api.app.services.turn_days(api.book, 1)
    page = await rider.get("/app/rides")
    assert "No gate opens until this is paid" in text_of(page)
    action = re.search(r'action="(/app/rides/[^"]*)"', page.text)
    assert action is not None
    form = {"key": page.field("key"), "source": person.line, "pin": "000000"}
    wrong = await rider.post(action[1], form)
    assert wrong.status == 403 and "The PIN was wrong. Nothing was paid." in text_of(wrong)
    paid = await rider.post(action[1], form | {"pin": PIN})
    assert paid.status == 303
    assert "No gate opens" not in text_of(await rider.get("/app/rides"))
    again = await rider.post(action[1], form | {"pin": PIN, "key": "0" * 32})
    assert again.status == 409


async def test_a_charge_of_another_is_not_there(town: Town) -> None:
    person, gate = await town.api.new_person(), await town.api.new_merchant(scene=Scene.TRANSPORT)
    tap = {"pay_code": (await code_of(town.api, person))["code"], "fare_minor": 100, "ride_no": "n1"}
    charge = (await town.api.post("/v1/rides", gate.key, tap)).json()["charge"]
    other = town.visitor(token=(await town.api.new_person()).token)
    assert (await other.post(f"/app/rides/{charge}/pay", {})).status == 404
    mine = await town.visitor(token=person.token).post(f"/app/rides/{charge}/pay", {})
    assert mine.status in (400, 422)
