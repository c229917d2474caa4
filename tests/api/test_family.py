"""Family cards at the border: found by phone without telling, accepted, spent, seen by two, stopped."""

import asyncio
import statistics
import time
from typing import Any

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
    body = {"order": api.order(shop, amount_minor), "funding": [{"family_card": card}], **more}
    return await api.post("/v1/payments", spender.token, body)


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


async def test_above_the_no_pin_limit_the_spenders_own_pin_is_asked(api: Api) -> None:
    (_, spender, card), shop = await a_family(api), await api.new_merchant()
    asked = (await spend(api, spender, shop, card, 250_00)).json()
    assert asked["status"] == "requires_action" and asked["next_action"]["needs"] == "pin"
    path = f"/v1/payments/{asked['id']}/confirm"
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


async def test_another_phone_a_freeze_or_an_erasure_of_either_ends_it(api: Api) -> None:
    (owner, spender, card), shop = await a_family(api), await api.new_merchant()
    services = api.app.services
    assert (await spend(api, spender, shop, card, 1_00)).status_code == 201
    async with services.database.transaction() as db:  # the number went to somebody else
        await db.execute(
            "update personal_data set phone_name = gen_random_uuid() where person_id = $1",
            decode(Prefix.PERSON, spender.id),
        )
    assert (await spend(api, spender, shop, card, 1_00)).status_code == 422
    assert (await api.get(f"/v1/family_cards/{card}", owner.token)).status_code == 200, (
        "and can still be stopped"
    )
    assert (await api.post(f"/v1/family_cards/{card}/stop", owner.token)).json()["status"] == "stopped"


async def test_a_frozen_owners_card_pays_nothing(api: Api) -> None:
    (owner, spender, card), shop = await a_family(api), await api.new_merchant()
    frozen = await api.post(f"/v1/people/{owner.id}/freeze", owner.token, {"reason": "lost"})
    assert frozen.status_code == 200, frozen.text
    assert (await spend(api, spender, shop, card, 1_00)).status_code == 422


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
    answers = await asyncio.gather(*(spend(api, spender, shop, card, 30_00) for _ in range(50)))
    assert sorted(answer.status_code for answer in answers) == [201] * 3 + [402] * 47
    codes = {answer.json()["reasons"][0]["code"] for answer in answers if answer.status_code == 402}
    assert codes == {"family_cap"}
