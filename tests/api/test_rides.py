"""Rides at the border: a gate's tap by a real pay code, the day's charge, a debt paid by hand, whose is whose."""

from typing import Any

from wufeng.identity.merchants.model import Scene

from .conftest import PIN, Api, Person, Shop
from .test_pay_codes import code_of, enrolled

YES = {"kind": "pin", "proof": PIN}


async def tap(api: Api, gate: Shop, person: Person, ride_no: str, fare_minor: int, **more: Any) -> Any:
    code = more.pop("code", None) or (await code_of(api, person))["code"]
    body = {"pay_code": code, "fare_minor": fare_minor, "ride_no": ride_no}
    return await api.post("/v1/rides", gate.key, body, **more)


async def test_a_day_of_rides_is_one_payment(api: Api) -> None:
    person, gate = await api.new_person(wallet_minor=100_00), await api.new_merchant(scene=Scene.TRANSPORT)
    terms = await api.post("/v1/ride_terms", gate.key, {"day_cap_minor": 10_00})
    assert (terms.status_code, terms.json()["day_cap_minor"]) == (200, 10_00)
    taken = [(await tap(api, gate, person, f"n{n}", 4_00)).json() for n in range(3)]
    assert [one["due_minor"] for one in taken] == [4_00, 4_00, 2_00]
    assert {one["status"] for one in taken} == {"taken"}
    assert (await api.get("/v1/payments", person.token)).json()["data"] == [], (
        "nothing is charged at the gate"
    )
    await api.app.services.turn_days(api.book, 1)
    [payment] = (await api.get("/v1/payments", person.token)).json()["data"]
    assert (payment["channel"], payment["amount_minor"], payment["status"]) == ("ride", 10_00, "captured")
    for reader in (person.token, gate.key):
        [charge] = (await api.get("/v1/ride_charges", reader)).json()["data"]
        assert (charge["status"], charge["payment"], charge["rides"]) == ("charged", payment["id"], 3)
        assert (charge["fares_minor"], charge["amount_minor"]) == (12_00, 10_00)
        rides = (await api.get("/v1/rides", reader)).json()["data"]
        assert sorted(ride["ride_no"] for ride in rides) == ["n0", "n1", "n2"]
        assert (await api.get(f"/v1/rides/{rides[0]['id']}", reader)).json() == rides[0]
        assert (await api.get(f"/v1/ride_charges/{charge['id']}", reader)).json() == charge


async def test_a_tap_that_comes_again_is_answered_again_and_a_code_opens_one_gate(api: Api) -> None:
    person, gate = await api.new_person(), await api.new_merchant(scene=Scene.TRANSPORT)
    code = (await code_of(api, person))["code"]
    first = await tap(api, gate, person, "n1", 4_00, code=code, key="k")
    assert first.status_code == 201
    assert (await tap(api, gate, person, "n1", 4_00, code=code, key="k")).content == first.content
    other = await api.new_merchant(scene=Scene.TRANSPORT)
    again = await tap(api, other, person, "n2", 4_00, code=code)
    assert (again.status_code, again.json()["code"]) == (403, "confirmation_failed")
    assert len((await api.get("/v1/rides", person.token)).json()["data"]) == 1


async def test_a_phone_without_a_connection_rides_up_to_less(api: Api) -> None:
    person, gate = await api.new_person(), await api.new_merchant(scene=Scene.TRANSPORT)
    phone = await enrolled(api, person)
    dear = await tap(api, gate, person, "n1", 20_01, code=phone.shows())
    assert (dear.status_code, dear.json()["status"]) == (402, "refused")
    assert [reason["code"] for reason in dear.json()["reasons"]] == ["code_limit"]
    assert (await tap(api, gate, person, "n2", 20_00, code=phone.shows(60))).status_code == 201


async def test_a_debt_stops_the_next_ride_until_it_is_paid_by_hand(api: Api) -> None:
    person, gate = await api.new_person(line_minor=500_00), await api.new_merchant(scene=Scene.TRANSPORT)
    assert (await tap(api, gate, person, "n1", 4_00)).status_code == 201
    await api.app.services.turn_days(api.book, 1)
    [charge] = (await api.get("/v1/ride_charges", person.token)).json()["data"]
    assert charge["status"] == "unpaid"
    refused = await tap(api, gate, person, "n2", 4_00)
    assert [reason["code"] for reason in refused.json()["reasons"]] == ["fares_unpaid"]
    path, funding = f"/v1/ride_charges/{charge['id']}/pay", {"line": person.line}
    stranger = await api.new_person()
    assert (await api.post(path, stranger.token, {"confirmation": YES})).status_code == 404
    assert (await api.post(path, person.token, {"confirmation": YES})).status_code == 402, (
        "the wallet is empty"
    )
    body = {"funding": funding, "confirmation": YES}
    paid = await api.post(path, person.token, body, key="k")
    assert (paid.status_code, paid.json()["status"]) == (201, "captured")
    assert (await api.post(path, person.token, body, key="k")).content == paid.content
    assert (await tap(api, gate, person, "n2", 4_00)).status_code == 201


async def test_a_shop_has_no_gate(api: Api) -> None:
    person, shop = await api.new_person(), await api.new_merchant()
    assert (await tap(api, shop, person, "n1", 4_00)).status_code == 403


async def test_nobody_is_erased_who_owes_a_fare(api: Api) -> None:
    person, gate = await api.new_person(), await api.new_merchant(scene=Scene.TRANSPORT)
    assert (await tap(api, gate, person, "n1", 4_00)).status_code == 201
    await api.post(f"/v1/people/{person.id}/freeze", api.platform, {"reason": "asked"})
    refused = await api.call("DELETE", f"/v1/people/{person.id}", api.platform, params={"reason": "asked"})
    assert refused.status_code == 409 and "fares that are not paid" in refused.json()["detail"], refused.text
