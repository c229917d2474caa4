"""S11 on the receiving side, and the feed as a client follows it."""

import asyncio
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from wufeng.base.webhooks import new_secret, signed_headers
from wufeng.client import NotOurs, Wufeng, verify_webhook

SECRET = new_secret()
BODY = (
    b'{"id":"evt_1","object":"event","type":"payment.captured","timestamp":"2026-09-03T04:00:00Z",'
    b'"data":{"business_date":"2026-09-03","id":"pay_1","amount_minor":1200}}'
)


def headers(at: datetime | None = None, body: bytes = BODY) -> dict[str, str]:
    return signed_headers(SECRET, "evt_1", at or datetime.now(UTC), body)


def test_a_message_of_ours_is_read() -> None:
    event = verify_webhook(SECRET, headers(), BODY)
    assert (event.id, event.type, event.data["amount_minor"], event.raw) == (
        "evt_1",
        "payment.captured",
        1200,
        BODY,
    )
    two = headers()
    two["webhook-signature"] = "v1,AAAA " + two["webhook-signature"]
    assert verify_webhook(SECRET, httpx.Headers(two), BODY).id == "evt_1", (
        "one of several, while secrets change"
    )


@pytest.mark.parametrize("place", range(0, len(BODY), 5))
def test_a_flipped_bit_is_refused(place: int) -> None:
    changed = bytes(byte ^ (1 if n == place else 0) for n, byte in enumerate(BODY))
    with pytest.raises(NotOurs):
        verify_webhook(SECRET, headers(), changed)


@pytest.mark.parametrize(
    "changes",
    [
        {"webhook-signature": ""},
        {"webhook-signature": "v1"},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v1,!!!"},
        {"webhook-signature": "none,"},
        {"webhook-signature": "v1a,AAAA"},
        {"webhook-signature": "v1,A,B"},
        {"webhook-id": "evt_2"},
        {"webhook-id": ""},
        {"webhook-timestamp": "0"},
        {"webhook-timestamp": "nan"},
        {"webhook-timestamp": "x"},
        {"webhook-timestamp": "9" * 400},
    ],
)
def test_bad_headers_are_refused(changes: dict[str, str]) -> None:
    with pytest.raises(NotOurs):
        verify_webhook(SECRET, headers() | changes, BODY)


def test_others_and_old_ones_are_refused() -> None:
    now = datetime.now(UTC)
    for secret, sent in [
        (new_secret(), headers()),
        (SECRET, headers(now - timedelta(minutes=6))),
        (SECRET, headers(now + timedelta(minutes=6))),
        (SECRET, {}),
    ]:
        with pytest.raises(NotOurs):
            verify_webhook(secret, sent, BODY)
    with pytest.raises(NotOurs):
        verify_webhook(
            SECRET,
            headers(),
            BODY.replace(b'"id":"pay_1","amount_minor":1200', b'"amount_minor":1200,"id":"pay_1"'),
        )
    with pytest.raises(NotOurs):
        verify_webhook(SECRET, headers(), b"\xff\xfe")


async def test_follow_goes_on_from_cursor_to_cursor() -> None:
    """Each page's cursor is the next one's `after`; an empty page is a pause, not an end."""
    asked: list[tuple[str | None, str | None]] = []

    def serve(request: httpx.Request) -> httpx.Response:
        asked.append((request.url.params.get("after"), request.url.params.get("types")))
        n = len(asked)
        event = BODY.replace(b"evt_1", b"evt_%d" % n)
        data = b"" if n == 2 else event
        more = b"true" if n == 1 else b"false"
        return httpx.Response(200, content=b'{"data":[%s],"next":"c%d","has_more":%s}' % (data, n, more))

    seen = []
    async with (
        Wufeng("http://wufeng.test", transport=httpx.MockTransport(serve)) as client,
        asyncio.timeout(5),
    ):
        async for event in client.events.follow(types=["order.paid", "bill.issued"], poll_s=0.01):
            seen.append(event.id)
            if len(seen) == 3:
                break
    assert seen == ["evt_1", "evt_3", "evt_4"]
    assert [after for after, _ in asked] == ["latest", "c1", "c2", "c3"]
    assert {types for _, types in asked} == {"bill.issued,order.paid"}
