"""Where a hosted page may send people back to, and how a page stands."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from wufeng.base.books import Mode
from wufeng.base.errors import Problem
from wufeng.identity.merchants.model import Scene
from wufeng.identity.merchants.origins import read_address
from wufeng.identity.merchants.rules import check_origins
from wufeng.payments.checkout.model import CheckoutSession, CheckoutStatus
from wufeng.payments.checkout.rules import (
    check_way_back,
    problem_if_not_cancellable,
    status_of,
    way_back,
)
from wufeng.payments.orders.model import Order, OrderState, OrderTerms

NOW = datetime(2026, 9, 3, 4, 0, tzinfo=UTC)
SESSION = CheckoutSession(
    id=UUID(int=1),
    merchant_id=UUID(int=2),
    order_id=UUID(int=3),
    return_url="https://shop.example/back",
    tenors=(1,),
    merchant_fee_share_ppm=0,
    expired_at=None,
    expires_at=NOW + timedelta(hours=1),
    created_at=NOW,
)
TERMS = OrderTerms(UUID(int=3), UUID(int=2), "A-1", 1_00, "CNY", "goods", Scene.RETAIL)
OPEN = Order.new(TERMS, NOW)

GOOD = [
    ("https://shop.example", "https://shop.example"),
    ("https://shop.example/orders/1?a=b&c=%20", "https://shop.example"),
    ("HTTPS://Shop.Example:443/Orders", "https://shop.example"),
    ("https://shop.example:8443?x=1", "https://shop.example:8443"),
    ("https://shop.example:0443/", "https://shop.example"),
    ("https://[2001:db8::1]/x", "https://[2001:db8::1]"),
    ("https://xn--fiqs8s.example/", "https://xn--fiqs8s.example"),
    ("http://127.0.0.1:8000/app", "http://127.0.0.1:8000"),
    ("https://shop.example/a@b:c", "https://shop.example"),
    ("https://shop.example?u=https://other.example/", "https://shop.example"),
]
EVIL = [
    "javascript:alert(1)", "data:text/html,x", "//shop.example", "/back", "", "https:", "https://", "https:///x",
    "https:shop.example", "https:/shop.example", "https:\\\\shop.example", "https://shop.example\\@evil.example",
    "https://shop.example@evil.example", "https://a:b@shop.example", "https://@shop.example", "https://shop.example#x",
    "https://shop.example/#/orders", "https://shop.example/\\evil", "https://shop.example/ x", " https://shop.example",
    "https://shop.example/\t", "https://shop.example/\r\nset-cookie:a=b", "https://shop.exa\nmple/", "https://shop.example\x00",
    "https://shop.example/中", "https://ｓhop.example", "https://shop。example", "https://shop.example:0", "https://shop.example:65536",
    "https://shop.example:99999999", "https://shop.example:", "https://shop.example:8a", "https://shop.example./x",
    "https://.shop.example", "https://-shop.example", "https://shop.example-", "https://sho%70.example", "https://[::1",
    "https://[x]", "ftp://shop.example", "wss://shop.example", "https://shop.example/<script>",
    'https://shop.example/"', "https://shop.example/`",
    "https://shop.example^evil", "https://shop.example|x", "https://{shop}", "blob:https://shop.example/x", "view-source:https://a.example",
]  # fmt: skip


@pytest.mark.parametrize(("url", "origin"), GOOD)
def test_an_address_is_read_as_browsers_do(url: str, origin: str) -> None:
    address = read_address(url)
    assert address is not None and address.origin == origin
    assert check_way_back(url, "/return_url", Mode.TEST, ()) == url
    assert check_way_back(url, "/return_url", Mode.TEST, (origin,)) == url
    with pytest.raises(Problem, match="none of the merchant's"):
        check_way_back(url, "/return_url", Mode.TEST, ("https://shop.example.evil", "https://shop.example:1"))


@pytest.mark.parametrize("url", EVIL)
def test_what_could_be_read_as_another_is_refused(url: str) -> None:
    assert read_address(url) is None
    with pytest.raises(Problem, match="absolute address") as problem:
        check_way_back(url, "/return_url", Mode.TEST, ())
    assert problem.value.errors[0].pointer == "/return_url"


def test_live_books_send_nobody_back_in_clear() -> None:
    for url in ("http://shop.example/", "http://127.0.0.1/", "http://localhost:1/"):
        assert check_way_back(url, "/cancel_url", Mode.TEST, ()) == url
        with pytest.raises(Problem, match="https"):
            check_way_back(url, "/cancel_url", Mode.LIVE, ())


@given(st.text(alphabet=st.sampled_from("https:/@#?\\.[]%a1-_ \t\n中"), max_size=30), st.text(max_size=8))
def test_whatever_is_taken_leads_where_it_says(tail: str, more: str) -> None:
    url = f"https://shop.example{tail}{more}"
    address = read_address(url)
    if address is None:
        return
    parts = urlsplit(url)
    assert parts.username is None and not parts.fragment and "\\" not in url and url.isascii()
    assert url.isprintable() and " " not in url
    assert urlsplit(address.origin).hostname == parts.hostname and parts.scheme == "https"


def test_origins_are_kept_as_browsers_write_them() -> None:
    given_ = ["HTTPS://Shop.Example:443", "https://shop.example", "https://m.shop.example/"]
    assert check_origins(given_) == ("https://shop.example", "https://m.shop.example")
    for wrong in ("https://shop.example/x", "https://shop.example?x", "shop.example", "https://*.example"):
        with pytest.raises(Problem, match="origin alone"):
            check_origins([wrong])
    with pytest.raises(Problem, match="20 at most"):
        check_origins([f"https://s{n}.example" for n in range(21)])


@pytest.mark.parametrize(
    ("changed", "state", "status"),
    [
        ({}, OrderState.OPEN, CheckoutStatus.OPEN),
        ({"expired_at": NOW}, OrderState.OPEN, CheckoutStatus.EXPIRED),
        ({"expires_at": NOW}, OrderState.OPEN, CheckoutStatus.EXPIRED),
        ({"expires_at": NOW + timedelta(microseconds=1)}, OrderState.OPEN, CheckoutStatus.OPEN),
        ({"cancelled_at": NOW}, OrderState.OPEN, CheckoutStatus.CANCELLED),
        ({"cancelled_at": NOW, "expires_at": NOW}, OrderState.CLOSED, CheckoutStatus.CANCELLED),
        ({}, OrderState.CLOSED, CheckoutStatus.EXPIRED),
        ({}, OrderState.EXPIRED, CheckoutStatus.EXPIRED),
        ({}, OrderState.PAID, CheckoutStatus.COMPLETE),
        ({"cancelled_at": NOW, "expired_at": NOW}, OrderState.SHIPPED, CheckoutStatus.COMPLETE),
        ({"expires_at": NOW}, OrderState.RECEIPT_CONFIRMED, CheckoutStatus.COMPLETE),
    ],
)
def test_how_a_page_stands(changed: dict[str, datetime], state: OrderState, status: CheckoutStatus) -> None:
    assert status_of(replace(SESSION, **changed), replace(OPEN, state=state), NOW) is status


def test_only_what_is_open_and_free_is_cancelled() -> None:
    assert problem_if_not_cancellable(SESSION, OPEN, NOW) is None
    assert problem_if_not_cancellable(replace(SESSION, cancelled_at=NOW), OPEN, NOW) is None, "twice is once"
    taken = replace(OPEN, payment_id=UUID(int=9), payer_id=UUID(int=8))
    assert problem_if_not_cancellable(SESSION, taken, NOW) is not None
    assert problem_if_not_cancellable(replace(SESSION, expired_at=NOW), OPEN, NOW) is not None
    assert problem_if_not_cancellable(SESSION, replace(OPEN, state=OrderState.PAID), NOW) is not None


def test_the_way_back_says_which_page_and_how_it_stands() -> None:
    both = replace(SESSION, cancel_url="https://shop.example/cart?a=1")
    for status, url in (
        (CheckoutStatus.COMPLETE, "https://shop.example/back"),
        (CheckoutStatus.EXPIRED, "https://shop.example/back"),
        (CheckoutStatus.CANCELLED, "https://shop.example/cart"),
        (CheckoutStatus.OPEN, "https://shop.example/cart"),
    ):
        back = way_back(both, "chk_1", status)
        assert back.startswith(f"{url}?"), back
        asked = parse_qs(urlsplit(back).query)
        assert asked["checkout"] == ["chk_1"] and asked["status"] == [status.value]
        assert ("a" in asked) == ("cart" in url)
        assert way_back(SESSION, "chk_1", status).startswith("https://shop.example/back?checkout=chk_1")
