"""Family cards at the border: found by phone without telling, accepted, spent, seen by two, stopped."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from wufeng.base.ids import Prefix, decode

from .conftest import PIN, Api, Person, Shop

YES = {"kind": "pin", "proof": PIN}
MUM, SON = "+8613700000011", "+8613700000012"


async def invite(api: Api, owner: Person, phone: str, **more: Any) -> Any:
    body = {
        "phone": phone,
        "name": "Son",
        "wallet": owner.wallet,
        "month_cap_minor": 300_00,
        "confirmation": YES,
        **more,
    }
    return await api.post("/v1/family_cards", owner.token, {k: v for k, v in body.items() if v is not None})


async def a_family(api: Api, **more: Any) -> tuple[Person, Person, str]:
    """Owner, spender, and the card between them."""
    owner = await api.new_person(phone=MUM, wallet_minor=1_000_00)
    spender = await api.new_person(phone=SON)
    made = await invite(api, owner, SON, **more)
    assert made.status_code == 201, made.text
    card = made.json()["id"]
    accepted = await api.post(f"/v1/family_cards/{card}/accept", spender.token)
    assert accepted.status_code == 200, accepted.text
    return owner, spender, card


async def spend(api: Api, spender: Person, shop: Shop, card: str, amount_minor: int, **more: Any) -> Any:
    body = {
        "order": api.order(shop, amount_minor), "funding": [{"family_card": card}], "confirmation": YES, **more
    }  # fmt: skip
    return await api.post("/v1/payments", spender.token, body)


async def begin(api: Api, spender: Person, shop: Shop, card: str, amount_minor: int) -> str:
    """A payment that waits for the spender; the path to confirm it."""
    asked = (await spend(api, spender, shop, card, amount_minor, confirmation=None)).json()
    assert asked["status"] == "requires_action" and asked["next_action"]["needs"] == "pin", asked
    return f"/v1/payments/{asked['id']}/confirm"


async def cool_down(api: Api, person: Person) -> None:
    """Phone and number have just changed."""
    until = api.book.at(api.clock) + timedelta(days=3)
    async with api.app.services.database.transaction() as db:
        person_id = decode(Prefix.PERSON, person.id)
        await db.execute("update person set cooling_until = $1 where id = $2", until, person_id)


async def freeze(api: Api, person: Person) -> None:
    path = f"/v1/people/{person.id}/freeze"
    assert (await api.post(path, api.platform, {"reason": "lost"})).status_code == 200


async def erase(api: Api, person: Person) -> None:
    await freeze(api, person)
    path, why = f"/v1/people/{person.id}", {"reason": "asked"}
    assert (await api.call("DELETE", path, api.platform, params=why)).status_code == 200


async def move_away(api: Api, person: Person) -> None:
    """The number went to somebody else."""
    async with api.app.services.database.transaction() as db:
        await db.execute(
            "update personal_data set phone_name = gen_random_uuid() where person_id = $1",
            decode(Prefix.PERSON, person.id),
        )


async def keep_signed_in(api: Api, person: Person) -> None:
    """As if an end of sessions had overlooked theirs."""
    person_id = decode(Prefix.PERSON, person.id)
    async with api.app.services.database.transaction() as db:
        await db.execute("update session set revoked_at = null where person_id = $1", person_id)
        await db.execute("update device set revoked_at = null where person_id = $1", person_id)


async def test_a_card_is_made_accepted_spent_and_seen_from_both_sides(api: Api) -> None:
    (owner, spender, card), shop = await a_family(api), await api.new_merchant()
    paid = await spend(api, spender, shop, card, 30_00)
    assert paid.status_code == 201 and paid.json()["status"] == "captured", paid.text
    payment = paid.json()
    assert (payment["payer"], payment["spender"]) == (owner.id, spender.id)
    mine = (await api.get(f"/v1/family_cards/{card}", owner.token)).json()
    theirs = (await api.get(f"/v1/family_cards/{card}", spender.token)).json()
    assert (mine["role"], theirs["role"]) == ("owner", "spender")
    assert mine["other"]["phone"] == "137****0012" and theirs["other"]["phone"] == "137****0011"
    assert mine["used_minor"] == theirs["used_minor"] == 30_00 and mine["left_minor"] == 270_00
    for reader, kind in ((owner, "wallet"), (spender, "family_card")):
        listed = (await api.get(f"/v1/family_cards/{card}/payments", reader.token)).json()["data"]
        assert [one["id"] for one in listed] == [payment["id"]]
        assert listed[0]["funding"][0]["kind"] == kind
        read = await api.get(f"/v1/payments/{payment['id']}", reader.token)
        assert read.json() == listed[0]
    assert [one["id"] for one in (await api.get("/v1/payments", owner.token)).json()["data"]] == [
        payment["id"]
    ]
    assert (await api.get("/v1/payments", spender.token)).json()["data"] == []


async def test_a_spender_sees_nothing_else_of_the_owner(api: Api) -> None:
    (owner, spender, _), shop = await a_family(api), await api.new_merchant()
    other = await api.pay(owner, shop, 5_00, funding=[{"wallet": owner.wallet}])
    assert (await api.get(f"/v1/payments/{other.json()['id']}", spender.token)).status_code == 404
    assert (await api.get(f"/v1/wallets/{owner.wallet}", spender.token)).status_code == 404


async def test_known_and_unknown_phones_are_answered_alike(api: Api) -> None:
    owner = await api.new_person(phone=MUM)
    await api.new_person(phone=SON)
    known, unknown = await invite(api, owner, SON), await invite(api, owner, "+8613700000099")

    def told(answer: Any) -> dict[str, Any]:
        return {k: v for k, v in answer.json().items() if k not in ("id", "created_at")}

    assert known.status_code == unknown.status_code == 201 and told(known) == told(unknown)
    times: dict[str, list[float]] = {SON: [], "+8613700000099": []}
    for _ in range(12):
        for phone, taken in times.items():
            began = time.perf_counter()
            card = await invite(api, owner, phone)
            taken.append(time.perf_counter() - began)
            await api.post(f"/v1/family_cards/{card.json()['id']}/stop", owner.token)
    medians = [statistics.median(taken) for taken in times.values()]
    assert max(medians) < 1.5 * min(medians), medians


async def test_an_invitation_finds_who_signs_up_later(api: Api) -> None:
    owner = await api.new_person(phone=MUM, wallet_minor=100_00)
    card = (await invite(api, owner, SON)).json()["id"]
    spender = await api.new_person(phone=SON)
    held = await api.get("/v1/family_cards", spender.token, params={"role": "spender"})
    assert [(one["id"], one["status"]) for one in held.json()["data"]] == [(card, "invited")]
    stranger = await api.new_person()
    assert (await api.post(f"/v1/family_cards/{card}/accept", stranger.token)).status_code == 404
    assert (await api.get("/v1/family_cards", stranger.token, params={"role": "spender"})).json()[
        "data"
    ] == []
    assert (await api.post(f"/v1/family_cards/{card}/accept", spender.token)).json()["status"] == "active"


async def test_what_is_refused_at_the_edge(api: Api) -> None:
    owner, other = await api.new_person(phone=MUM, line_minor=500_00), await api.new_person(phone=SON)
    refused = {
        "/phone": await invite(api, owner, MUM),
        "/wallet": await invite(api, owner, SON, line=owner.line),
        "/line": await invite(api, other, MUM, wallet=None, line=owner.line),
        "/month_cap_minor": await invite(api, owner, SON, month_cap_minor=20_000_01),
        "/payment_cap_minor": await invite(api, owner, SON, payment_cap_minor=300_01),
        "/name": await invite(api, owner, SON, name="   "),
    }
    for pointer, answer in refused.items():
        assert answer.status_code == 422 and answer.json()["errors"][0]["pointer"] == pointer, answer.text
    wrong = await invite(api, owner, SON, confirmation={"kind": "pin", "proof": "000000"})
    assert (wrong.status_code, wrong.json()["code"]) == (403, "confirmation_failed")
    assert (await api.get("/v1/family_cards", owner.token)).json()["data"] == []


async def test_only_its_holder_pays_with_a_card_and_with_nothing_beside_it(api: Api) -> None:
    (owner, spender, card), shop = await a_family(api), await api.new_merchant()
    for who in (owner, await api.new_person()):
        assert (await spend(api, who, shop, card, 1_00)).status_code == 422
    beside = [{"family_card": card}, {"wallet": spender.wallet}]
    assert (await spend(api, spender, shop, card, 1_00, funding=beside)).status_code == 422
    body = {"order": api.order(shop, 1_00), "payer": spender.id, "funding": [{"family_card": card}]}
    assert (await api.post("/v1/payments", shop.key, body)).status_code == 422


async def test_the_spenders_own_pin_is_always_asked(api: Api) -> None:
    (_, spender, card), shop = await a_family(api), await api.new_merchant()
    path = await begin(api, spender, shop, card, 1)
    wallet = {"confirmation": YES, "funding": [{"wallet": spender.wallet}]}
    assert (await api.post(path, spender.token, wallet)).status_code == 422, "the card says what it pays from"
    done = await api.post(path, spender.token, {"confirmation": YES})
    assert (done.status_code, done.json()["status"]) == (200, "captured")


async def test_a_lost_answer_is_found_by_its_key(api: Api) -> None:
    (_, spender, card), shop = await a_family(api), await api.new_merchant()
    body = {"order": api.order(shop, 1_00), "funding": [{"family_card": card}]}
    first = await api.post("/v1/payments", spender.token, body, key="k")
    assert (await api.post("/v1/payments", spender.token, body, key="k")).content == first.content
    found = await api.get("/v1/payments", spender.token, params={"idempotency_key": "k"})
    assert found.json()["data"] == [first.json()]


async def test_nothing_is_priced_beside_the_card(api: Api) -> None:
    owner = await api.new_person(phone=MUM, line_minor=5_000_00)
    spender, shop = await api.new_person(phone=SON), await api.new_merchant()
    card = (await invite(api, owner, SON, wallet=None, line=owner.line)).json()["id"]
    await api.post(f"/v1/family_cards/{card}/accept", spender.token)
    option = await spend(api, spender, shop, card, 1_00, quote_option="qte_01h455vb4pex5vsknk084sn02q.1")
    assert (option.status_code, option.json()["errors"][0]["pointer"]) == (422, "/quote_option")
    later = await spend(api, spender, shop, card, 100_00, funding=[{"family_card": card, "tenor": 3}])
    assert (later.status_code, later.json()["errors"][0]["pointer"]) == (422, "/funding")
    assert (await spend(api, spender, shop, card, 100_00)).status_code == 201


async def test_while_the_spenders_phone_cools_down_the_card_pays_little(api: Api) -> None:
    """200.00 a payment and 500.00 a day, by whomever it was begun and whenever it was."""
    (owner, spender, card), shop = await a_family(api, month_cap_minor=5_000_00), await api.new_merchant()
    path = await begin(api, spender, shop, card, 200_01)
    await cool_down(api, spender)
    refused = await api.post(path, spender.token, {"confirmation": YES})
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden"), refused.text
    assert (await spend(api, spender, shop, card, 200_01)).status_code == 403
    for amount_minor in (200_00, 200_00, 100_00):
        assert (await spend(api, spender, shop, card, amount_minor)).status_code == 201
    assert (await spend(api, spender, shop, card, 1)).status_code == 403
    assert (await api.pay(owner, shop, 250_00, funding=[{"wallet": owner.wallet}])).status_code == 201
    api.clock.turn_to(api.clock.now() + timedelta(days=3))
    assert (await spend(api, spender, shop, card, 200_01)).status_code == 201


async def test_another_phone_ends_it_and_it_can_still_be_stopped(api: Api) -> None:
    (owner, spender, card), shop = await a_family(api), await api.new_merchant()
    assert (await spend(api, spender, shop, card, 1_00)).status_code == 201
    await move_away(api, spender)
    assert (await spend(api, spender, shop, card, 1_00)).status_code == 422
    assert (await api.get(f"/v1/family_cards/{card}", owner.token)).status_code == 200
    assert (await api.post(f"/v1/family_cards/{card}/stop", owner.token)).json()["status"] == "stopped"


@pytest.mark.parametrize("what", [move_away, freeze])
@pytest.mark.parametrize("whose", ["owner", "spender"])
async def test_another_phone_or_a_freeze_of_either_ends_it(
    api: Api, whose: str, what: Callable[[Api, Person], Awaitable[None]]
) -> None:
    """Also for what waited for its spender, and whatever session is left."""
    (owner, spender, card), shop = await a_family(api), await api.new_merchant()
    path = await begin(api, spender, shop, card, 1_00)
    await what(api, owner if whose == "owner" else spender)
    yes = {"confirmation": YES}
    if (whose, what) == ("spender", freeze):
        assert (await spend(api, spender, shop, card, 1_00)).status_code == 401
        assert (await api.post(path, spender.token, yes)).status_code == 401
        await keep_signed_in(api, spender)
    assert (await spend(api, spender, shop, card, 1_00)).status_code in (401, 422)
    assert (await api.post(path, spender.token, yes)).status_code in (401, 403)
    [payment] = (await api.get("/v1/payments", api.platform)).json()["data"]
    assert payment["status"] == "requires_action"


@pytest.mark.parametrize("whose", ["owner", "spender"])
async def test_an_erasure_of_either_ends_it(api: Api, whose: str) -> None:
    owner, spender = await api.new_person(phone=MUM), await api.new_person(phone=SON)
    card, shop = (await invite(api, owner, SON)).json()["id"], await api.new_merchant()
    assert (await api.post(f"/v1/family_cards/{card}/accept", spender.token)).status_code == 200
    gone = owner if whose == "owner" else spender
    await erase(api, gone)
    await keep_signed_in(api, gone)
    assert (await spend(api, spender, shop, card, 1_00)).status_code in (401, 422)
    assert (await api.get("/v1/payments", api.platform)).json()["data"] == []


async def test_caps_rise_with_the_owners_yes_alone(api: Api) -> None:
    owner, spender, card = await a_family(api)
    path = f"/v1/family_cards/{card}/cap"
    lower = await api.post(path, owner.token, {"month_cap_minor": 10_00})
    assert (lower.status_code, lower.json()["month_cap_minor"]) == (200, 10_00)
    higher = {"month_cap_minor": 20_00}
    assert (await api.post(path, owner.token, higher)).json()["code"] == "confirmation_failed"
    assert (await api.post(path, owner.token, {**higher, "confirmation": YES})).status_code == 200
    assert (await api.post(path, spender.token, higher)).status_code == 404


async def test_two_tills_at_once_never_pass_the_cap(api: Api) -> None:
    (_, spender, card), shop = await a_family(api, month_cap_minor=100_00), await api.new_merchant()
    answers = await asyncio.gather(*(spend(api, spender, shop, card, 30_00) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201] * 3 + [402] * 2
    codes = {answer.json()["reasons"][0]["code"] for answer in answers if answer.status_code == 402}
    assert codes == {"family_cap"}
