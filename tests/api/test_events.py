"""Events over HTTP: whose they are, the same bytes by webhook, and addresses that only their owner knows."""

import asyncio
import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from standardwebhooks import Webhook
from tests.cases import cases

from wufeng.identity.staff.model import Role

from .conftest import Api, Person, Shop


class Receiver:
    """A receiver on this machine: takes everything and keeps it."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.status = 200
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {
            name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)
        }
        self.got.append((headers, await reader.readexactly(int(headers["content-length"]))))
        writer.write(f"HTTP/1.1 {self.status} X\r\nContent-Length: 0\r\n\r\n".encode())
        await writer.drain()
        writer.close()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1")
    receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    yield receiver
    server.close()


@pytest.fixture
async def bought(api: Api) -> tuple[Person, Shop, dict[str, Any]]:
    """A person has bought something on credit."""
    person, shop = await api.new_person(line_minor=500_000), await api.new_merchant()
    answer = await api.pay(person, shop, 129_900)
    assert answer.status_code == 201, answer.text
    return person, shop, answer.json()


async def send_all(api: Api) -> None:
    await api.catch_up()
    while sum([await api.app.sender.send_due(bucket) for bucket in api.book.buckets]):
        await api.app.sender.idle()


async def types_of(api: Api, key: str, query: str = "") -> list[str]:
    answer = await api.get(f"/v1/events{query}", key)
    assert answer.status_code == 200, answer.text
    return [event["type"] for event in answer.json()["data"]]


async def test_a_payment_is_told_to_its_merchant_and_the_platform(api: Api, bought: Any) -> None:
    _, shop, payment = bought
    stranger = await api.new_merchant()
    assert await types_of(api, shop.key) == ["payment.captured", "order.paid", "draw.posted"]
    assert await types_of(api, stranger.key) == []
    everything = await types_of(api, api.platform)
    assert "line.opened" in everything
    assert everything[-3:] == ["payment.captured", "order.paid", "draw.posted"]
    captured, paid, drawn = (await api.get("/v1/events", shop.key)).json()["data"]
    assert captured["object"] == "event"
    assert captured["data"]["business_date"] == "2026-09-03"
    assert captured["data"]["id"] == payment["id"]
    assert (paid["data"]["object"], drawn["data"]["object"]) == ("order", "draw")
    assert paid["data"]["id"] == payment["order"]


async def test_pages_types_and_cursors(api: Api, bought: Any) -> None:
    _, shop, _ = bought
    seen: list[str] = []
    query = "?limit=1"
    while True:
        page = (await api.get(f"/v1/events{query}", shop.key)).json()
        seen += [event["type"] for event in page["data"]]
        query = f"?limit=1&after={page['next']}"
        if not page["has_more"]:
            break
    assert seen == ["payment.captured", "order.paid", "draw.posted"]
    assert await types_of(api, shop.key, "?types=order.paid,refund.posted") == ["order.paid"]
    latest = (await api.get("/v1/events?after=latest", shop.key)).json()
    assert latest["data"] == []
    assert await types_of(api, shop.key, f"?after={latest['next']}") == []


@cases(
    ("query", "pointer"),
    [
        ("after=", "after"),
        ("after=nonsense", "after"),
        (
            "after=" + base64.urlsafe_b64encode(msgspec.msgpack.encode({"0": 1 << 40})).decode().rstrip("="),
            "after",
        ),
        ("after=%F0%9F%98%80", "after"),
        ("after=" + "a" * 9_000, "after"),
        ("types=", "types"),
        ("types=payment.done", "types"),
        ("types=order.paid,", "types"),
        ("types=' or 1=1 --", "types"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=x", "limit"),
        ("limit=1&limit=2", "limit"),
        ("starting_after=evt_x", "starting_after"),
    ],
)
async def test_bad_parameters_are_named(api: Api, query: str, pointer: str) -> None:
    answer = await api.get(f"/v1/events?{query}", api.platform)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_field")
    assert answer.json()["errors"][0]["pointer"] == pointer


async def test_an_endpoint_hears_the_very_bytes_of_the_list(
    api: Api, bought: Any, receiver: Receiver
) -> None:
    person, shop, _ = bought
    await api.catch_up()
    made = await api.post("/v1/webhook_endpoints", shop.key, {"url": receiver.url})
    assert made.status_code == 201, made.text
    endpoint = made.json()
    assert (endpoint["object"], endpoint["status"], endpoint["types"]) == ("webhook_endpoint", "enabled", [])
    before = await api.get("/v1/events?after=latest", shop.key)
    paid = await api.pay(person, shop, 10_000)
    assert paid.status_code == 201, paid.text
    await send_all(api)
    feed = await api.get(f"/v1/events?after={before.json()['next']}", shop.key)
    sent = [body for _, body in receiver.got]
    assert (
        b'{"data":[' + b",".join(sorted(sent, key=_index)) + b"]"
        == feed.content[: feed.content.rindex(b',"next"')]
    )
    for headers, body in receiver.got:
        at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
        signature = Webhook(endpoint["secret"]).sign(headers["webhook-id"], at, body.decode())
        assert headers["webhook-signature"] == signature
        assert headers["webhook-id"] == msgspec.json.decode(body)["id"]


def _index(body: Any) -> int:
    order = ["payment.captured", "order.paid", "draw.posted"]
    return order.index(msgspec.json.decode(body)["type"])


async def test_deliveries_are_listed_and_sent_again(api: Api, bought: Any, receiver: Receiver) -> None:
    person, shop, _ = bought
    await api.catch_up()
    body = {"url": receiver.url, "types": ["order.paid"]}
    endpoint = (await api.post("/v1/webhook_endpoints", shop.key, body)).json()
    await api.pay(person, shop, 10_000)
    await send_all(api)
    path = f"/v1/webhook_endpoints/{endpoint['id']}/deliveries"
    (delivery,) = (await api.get(path, shop.key)).json()["data"]
    assert (delivery["object"], delivery["type"], delivery["status"]) == (
        "delivery",
        "order.paid",
        "delivered",
    )
    assert delivery["attempts"][0]["response_status"] == 200
    again = await api.post(f"/v1/deliveries/{delivery['id']}/resend", shop.key)
    assert (again.status_code, again.json()["status"]) == (200, "waiting")
    count = len(receiver.got)
    await send_all(api)
    assert len(receiver.got) == count + 1
    assert receiver.got[-1][0]["webhook-id"] == delivery["event"]
    (first,) = (await api.get(f"{path}?limit=1", shop.key)).json()["data"]
    assert first["status"] == "delivered"
    wrong = await api.get(f"{path}?starting_after=dlv_x", shop.key)
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "starting_after")


async def test_the_secret_is_shown_once_and_deleting_ends_it(api: Api, receiver: Receiver) -> None:
    shop = await api.new_merchant()
    made = (await api.post("/v1/webhook_endpoints", shop.key, {"url": receiver.url})).json()
    assert made["secret"].startswith("whsec_")
    (shown,) = (await api.get("/v1/webhook_endpoints", shop.key)).json()["data"]
    assert "secret" not in shown
    assert shown["id"] == made["id"]
    path = f"/v1/webhook_endpoints/{made['id']}"
    deleted = await api.call("DELETE", path, shop.key)
    assert (deleted.status_code, deleted.json()["status"]) == (200, "deleted")
    assert (await api.call("DELETE", path, shop.key)).status_code == 404
    assert (await api.get("/v1/webhook_endpoints", shop.key)).json()["data"] == []


async def test_each_owner_knows_its_own(api: Api, bought: Any, receiver: Receiver) -> None:
    """Another merchant's, also for the platform: the same answer as an absent one."""
    person, shop, _ = bought
    stranger = await api.new_merchant()
    endpoint = (await api.post("/v1/webhook_endpoints", shop.key, {"url": receiver.url})).json()
    await api.catch_up()
    await api.pay(person, shop, 10_000)
    await api.catch_up()
    path = f"/v1/webhook_endpoints/{endpoint['id']}"
    delivery = (await api.get(f"{path}/deliveries", shop.key)).json()["data"][0]["id"]
    absent = "/v1/webhook_endpoints/whe_01h455vb4pex5vsknk084sn02q"
    for key in (stranger.key, api.platform):
        assert (await api.get("/v1/webhook_endpoints", key)).json()["data"] == []
        for method, one, none in [
            ("GET", f"{path}/deliveries", f"{absent}/deliveries"),
            ("DELETE", path, absent),
            (
                "POST",
                f"/v1/deliveries/{delivery}/resend",
                "/v1/deliveries/dlv_01h455vb4pex5vsknk084sn02q/resend",
            ),
        ]:
            answers = [await api.call(method, path_, key) for path_ in (one, none, one.replace("_0", "_x"))]
            bodies = [answer.json() | {"request_id": ""} for answer in answers]
            assert {answer.status_code for answer in answers} == {404}
            assert bodies[0] == bodies[1] == bodies[2]


async def test_people_staff_and_nobody_may_not(api: Api, bought: Any) -> None:
    person, _, _ = bought
    staff = await api.new_staff(Role.ADMIN)
    calls = [
        ("GET", "/v1/events"),
        ("GET", "/v1/webhook_endpoints"),
        ("POST", "/v1/webhook_endpoints"),
        ("DELETE", "/v1/webhook_endpoints/whe_01h455vb4pex5vsknk084sn02q"),
        ("GET", "/v1/webhook_endpoints/whe_01h455vb4pex5vsknk084sn02q/deliveries"),
        ("POST", "/v1/deliveries/dlv_01h455vb4pex5vsknk084sn02q/resend"),
    ]
    for method, path in calls:
        for token, status in [(person.token, 403), (staff, 403), (None, 401), ("wf_test_none", 401)]:
            answer = await api.call(method, path, token)
            assert answer.status_code == status, (method, path, answer.text)


@cases(
    ("body", "pointer"),
    [
        ({}, "/url"),
        ({"url": 1}, "/url"),
        ({"url": "ftp://receiver.example/"}, "/url"),
        ({"url": "https://a:b@receiver.example/"}, "/url"),
        ({"url": "https://receiver.example/" + "a" * 2_000}, "/url"),
        ({"url": "https://receiver.example/", "types": ["payment.done"]}, "/types/0"),
        ({"url": "https://receiver.example/", "types": "order.paid"}, "/types"),
        ({"url": "https://receiver.example/", "types": ["order.paid"] * 65}, "/types"),
        ({"url": "https://receiver.example/", "secret": "whsec_mine"}, "/secret"),
    ],
)
async def test_bad_endpoints_are_refused(api: Api, body: Any, pointer: str) -> None:
    answer = await api.post("/v1/webhook_endpoints", api.platform, body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_field"), answer.text
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert (await api.get("/v1/webhook_endpoints", api.platform)).json()["data"] == []
