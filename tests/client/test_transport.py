"""The outcome protocol: what is sent again, with which key, until when, and what is believed in the end."""

import asyncio
import json
import time as wall

import httpx
import pytest

from wufeng.base.errors import PROBLEMS, Code
from wufeng.client import (
    ApiProblem,
    Attempt,
    Call,
    InlineOrder,
    OutcomeUnknown,
    Patience,
    Repeat,
    Wufeng,
)

QUICK = Patience(deadline_s=0.5, attempt_s=0.1, first_pause_s=0.005, longest_pause_s=0.02)
Answer = httpx.Response | Exception | str
PAID = {
    "id": "pay_1", "object": "payment", "created_at": "2026-09-03T04:00:00Z", "status": "captured", "order": "ord_1",
    "order_no": "A-1", "merchant": "mer_1", "payer": "per_1", "amount_minor": 1200, "currency": "CNY", "new_field": [1],
}  # fmt: skip


def problem(code: Code, headers: dict[str, str] | None = None, **extra: object) -> httpx.Response:
    status, title = PROBLEMS[code]
    document = {"type": f"/problems/{code}", "title": title, "status": status, "code": code, "detail": "so",
                "request_id": "req_1", **extra}  # fmt: skip
    return httpx.Response(status, json=document, headers=headers)


class Server:
    """Answers by a script, its last line for ever; keeps what came."""

    def __init__(self, *script: Answer) -> None:
        self.script = list(script)
        self.got: list[httpx.Request] = []
        self.attempts: list[Attempt] = []

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.got.append(request)
        answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(answer, Exception):
            raise answer
        if answer == "hang":
            await asyncio.sleep(60)
        assert isinstance(answer, httpx.Response)
        return httpx.Response(answer.status_code, content=answer.content, headers=answer.headers)

    def client(self, patience: Patience = QUICK) -> Wufeng:
        return Wufeng(
            "http://wufeng.test",
            "wf_test_x",
            patience=patience,
            transport=httpx.MockTransport(self),
            watch=self.attempts.append,
        )

    @property
    def keys(self) -> list[str | None]:
        return [request.headers.get("idempotency-key") for request in self.got]


ORDER = InlineOrder(order_no="A-1", amount_minor=1200, currency="CNY", subject="tea")
PAY = Call(method="POST", path="/v1/payments", body={"order": "ord_1"}, repeat=Repeat.KEYED)
MAKE = Call(method="POST", path="/v1/people", body={"phone": "1"}, repeat=Repeat.ONCE)
READ = Call(method="GET", path="/v1/payments/pay_1")
OK = httpx.Response(201, json=PAID)


async def outcome(server: Server, call: Call, patience: Patience = QUICK) -> str:
    """What the caller is told: the status of a reply, a problem's code, or `unknown`."""
    async with server.client(patience) as client:
        try:
            return str((await client.send(call)).status)
        except ApiProblem as refused:
            return str(refused.code)
        except OutcomeUnknown:
            return "unknown"


RESET, REFUSED = httpx.ReadError("reset"), httpx.ConnectError("refused")
AGAIN: list[tuple[str, Answer]] = [
    ("overloaded", problem(Code.OVERLOADED)),
    ("rate limited", problem(Code.RATE_LIMITED)),
    ("sent too slowly", problem(Code.REQUEST_TIMEOUT)),
    ("storage full", problem(Code.STORAGE_FULL)),
    ("in progress", problem(Code.IDEMPOTENCY_IN_PROGRESS)),
    ("unknown", problem(Code.OUTCOME_UNKNOWN)),
    ("internal", problem(Code.INTERNAL)),
    ("reset", RESET),
    ("closed", httpx.RemoteProtocolError("closed")),
    ("hang", "hang"),
    ("refused", REFUSED),
    ("a proxy's page", httpx.Response(502, text="<html>bad gateway</html>")),
    ("a proxy's 503", httpx.Response(503, text="")),
]


@pytest.mark.parametrize(("name", "answer"), AGAIN, ids=[name for name, _ in AGAIN])
async def test_sent_again_with_the_same_key_and_bytes(name: str, answer: Answer) -> None:
    server = Server(answer, answer, OK)
    assert await outcome(server, PAY) == "201"
    assert len(server.got) == 3
    assert len(set(server.keys)) == 1
    assert server.keys[0]
    assert len({request.content for request in server.got}) == 1
    assert [attempt.number for attempt in server.attempts] == [1, 2, 3]


@pytest.mark.parametrize(
    ("script", "call", "told", "sent_once"),
    [
        ([problem(Code.OVERLOADED)], PAY, "overloaded", False),  # surely not done
        ([problem(Code.RATE_LIMITED)], MAKE, "rate_limited", False),
        ([problem(Code.OUTCOME_UNKNOWN)], PAY, "unknown", False),
        ([problem(Code.INTERNAL)], PAY, "unknown", False),
        ([problem(Code.IDEMPOTENCY_IN_PROGRESS)], PAY, "unknown", False),
        ([RESET], PAY, "unknown", False),
        (["hang"], PAY, "unknown", False),
        ([RESET, problem(Code.OVERLOADED)], PAY, "unknown", False),  # the first one may have been done
        ([RESET], MAKE, "unknown", True),  # without a key it is never sent twice
        (["hang"], MAKE, "unknown", True),
        ([problem(Code.INTERNAL)], MAKE, "internal", True),
        ([problem(Code.OUTCOME_UNKNOWN)], MAKE, "outcome_unknown", True),
        ([problem(Code.OVERLOADED), RESET], MAKE, "unknown", False),
        ([problem(Code.INTERNAL)], READ, "internal", True),
        ([problem(Code.OVERLOADED)], READ, "overloaded", False),
        ([RESET, httpx.Response(200, json=PAID)], READ, "200", False),
        ([httpx.Response(404, text="nginx")], PAY, "malformed", True),
    ],
)
async def test_what_is_believed_in_the_end(
    script: list[Answer], call: Call, told: str, sent_once: bool
) -> None:
    server = Server(*script)
    began_s = wall.monotonic()
    assert await outcome(server, call) == told
    assert (len(server.got) == 1) == sent_once
    assert wall.monotonic() - began_s < 1.5


DEFINITE = sorted(set(Code) - {Code.REQUEST_TIMEOUT, Code.RATE_LIMITED, Code.OVERLOADED, Code.STORAGE_FULL,
                               Code.IDEMPOTENCY_IN_PROGRESS, Code.OUTCOME_UNKNOWN, Code.INTERNAL})  # fmt: skip


@pytest.mark.parametrize("code", DEFINITE)
async def test_a_definite_problem_is_raised_at_once(code: Code) -> None:
    server = Server(problem(code, errors=[{"pointer": "/amount_minor", "detail": "no"}], tries_left=3))
    async with server.client() as client:
        with pytest.raises(ApiProblem) as refused:
            await client.send(PAY)
    assert len(server.got) == 1
    assert refused.value.code is code
    assert (refused.value.detail, refused.value.request_id) == ("so", "req_1")
    assert refused.value.errors[0].pointer == "/amount_minor"
    assert refused.value.extra == {"tries_left": 3}


async def test_a_code_of_a_newer_server_stays_a_text() -> None:
    server = Server(httpx.Response(409, json={"code": "brand_new", "detail": "x"}))
    async with server.client() as client:
        with pytest.raises(ApiProblem) as refused:
            await client.send(PAY)
    assert refused.value.code == "brand_new"


async def test_retry_after_is_kept() -> None:
    server = Server(problem(Code.OVERLOADED, {"retry-after": "1"}), OK)
    began_s = wall.monotonic()
    assert await outcome(server, PAY, Patience(deadline_s=5)) == "201"
    assert 1.0 <= wall.monotonic() - began_s < 2.0
    server = Server(problem(Code.OVERLOADED, {"retry-after": "60"}))
    assert await outcome(server, PAY) == "overloaded", "the deadline comes first"
    assert len(server.got) == 1


async def test_a_long_call_has_its_own_patience() -> None:
    """Turning the clock closes days; it is not given up, nor sent twice, after a usual call's time."""

    async def slow(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0.7)
        return OK

    async with Wufeng("http://wufeng.test", patience=QUICK, transport=httpx.MockTransport(slow)) as client:
        call = Call(method="POST", path="/v1/clock/advance", body={}, repeat=Repeat.ONCE, may_take_s=5.0)
        assert (await client.send(call)).status == 201


async def test_pauses_differ() -> None:
    """Jitter: those who were refused together do not come again together, nor before they were asked to."""
    async with Server(OK).client() as client:
        pauses = [client._transport._pause(3, None) for _ in range(50)]
        asked = [client._transport._pause(3, 2.0) for _ in range(50)]
    assert len(set(pauses)) > 40
    assert 0.01 <= min(pauses) <= max(pauses) <= 0.02
    assert len(set(asked)) > 40
    assert 2.0 <= min(asked) <= max(asked) <= 2.5


async def test_a_given_key_is_used_and_unknown_says_it() -> None:
    server = Server(RESET)
    async with server.client() as client:
        with pytest.raises(OutcomeUnknown) as unknown:
            await client.payments.create(order=ORDER, payer="per_1", idempotency_key="k-1")
    assert set(server.keys) == {"k-1"}
    assert (unknown.value.idempotency_key, unknown.value.call) == ("k-1", "POST /v1/payments")
    assert unknown.value.attempts == len(server.got)


async def test_a_declined_payment_is_returned() -> None:
    body = PAID | {
        "status": "declined",
        "reasons": [{"code": "limit_exceeded", "text": "x", "adverse_action": "A1"}],
    }
    server = Server(httpx.Response(402, json=body))
    async with server.client() as client:
        payment = await client.payments.create(order=ORDER, payer="per_1")
    assert payment.is_declined
    assert payment.reasons[0].code == "limit_exceeded"
    assert len(server.got) == 1


async def test_what_is_sent() -> None:
    server = Server(OK)
    async with server.client() as client:
        await client.payments.create(order=ORDER, payer="per_1")
        await client.as_caller("other").payments.get("pay_1/../../x?y")
        await client.as_caller(None).send(Call(method="GET", path="/healthz"))
    made, read, public = server.got
    assert json.loads(made.content) == {
        "order": {"order_no": "A-1", "amount_minor": 1200, "currency": "CNY", "subject": "tea"},
        "payer": "per_1",
    }
    assert made.headers["authorization"] == "Bearer wf_test_x"
    assert made.headers["content-type"] == "application/json"
    assert read.headers["authorization"] == "Bearer other"
    assert "idempotency-key" not in read.headers
    assert read.url.raw_path == b"/v1/payments/pay_1%2F..%2F..%2Fx%3Fy"
    assert "authorization" not in public.headers


async def test_lists_turn_their_pages() -> None:
    pages = [
        {"data": [PAID | {"id": f"pay_{n}"} for n in range(2)], "next": "pay_1", "has_more": True},
        {"data": [PAID | {"id": "pay_2"}], "next": None, "has_more": False},
    ]
    server = Server(*(httpx.Response(200, json=page) for page in pages))
    async with server.client() as client:
        found = [payment.id async for payment in client.payments.list(status="captured", limit=2)]
    assert found == ["pay_0", "pay_1", "pay_2"]
    assert [str(request.url.query, "ascii") for request in server.got] == [
        "status=captured&limit=2",
        "status=captured&limit=2&starting_after=pay_1",
    ]


async def test_the_base_url_is_checked_at_once() -> None:
    async with Wufeng("ftp://wufeng.test") as client:
        with pytest.raises(httpx.UnsupportedProtocol):
            await client.send(READ)


async def test_who_watches_sees_every_byte() -> None:
    server = Server(RESET, OK)
    assert await outcome(server, PAY) == "201"
    failed, answered = server.attempts
    assert (failed.status, failed.failure) == (0, "ReadError: reset")
    assert (answered.status, answered.body, answered.failure) == (201, OK.content, None)


async def test_a_server_that_is_not_there() -> None:
    async with Wufeng("http://127.0.0.1:9", patience=QUICK) as client:
        with pytest.raises(OutcomeUnknown):
            await client.send(READ)
