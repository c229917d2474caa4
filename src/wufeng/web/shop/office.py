"""The shop's back office: it calls the API over the network with its own key, and believes only signed webhooks."""

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct

from wufeng.base.config import Settings
from wufeng.client import ApiProblem, Order, OutcomeUnknown, Patience, Wufeng, verify_webhook
from wufeng.client.orders import Offer

NAME = "Lowmoon"
PAID_STATES = frozenset({"paid", "shipped", "receipt_confirmed"})
TYPES = ("order.paid",)
_NOTICES_MAX = 1_000
_PATIENCE = Patience(deadline_s=6.0, attempt_s=6.0)


class Notice(Struct, frozen=True):
    """A webhook that was verified, with the instant at which it came."""

    event: str
    order_no: str
    order: str
    amount_minor: int
    came_at: datetime


_made: OrderedDict[tuple[str, str], None] = OrderedDict()
"""By shop and order number: what this process has sold. Of these it waits for the webhook."""

_notices: OrderedDict[tuple[str, str], Notice] = OrderedDict()
"""By shop and order number: what webhooks said since this process began. After a restart the API is asked instead."""


def connect(settings: Settings, language: str) -> Wufeng:
    """The API as an outsider reaches it: by its address, with the shop's key."""
    assert settings.demo_shop_key is not None, "without a key there is no shop"
    url = f"http://127.0.0.1:{settings.port}"
    book = settings.demo_shop_book
    return Wufeng(url, settings.demo_shop_key, book=book, language=language, patience=_PATIENCE)


def remember(settings: Settings, order_no: str) -> None:
    """This process has made that order, so its webhook comes to it."""
    _made[_shop(settings), order_no] = None
    while len(_made) > _NOTICES_MAX:
        _made.popitem(last=False)


def remembers(settings: Settings, order_no: str) -> bool:
    """Whether the order was made since this process began."""
    return (_shop(settings), order_no) in _made


def hear(settings: Settings, headers: Mapping[str, str], body: bytes, at: datetime) -> Notice | None:
    """Take a webhook in. Raises NotOurs for one that the secret did not sign; None: it tells of something else."""
    assert settings.demo_shop_webhook_secret is not None, "without a secret nothing can be verified"
    event = verify_webhook(settings.demo_shop_webhook_secret, headers, body)
    if event.type not in TYPES:
        return None
    order: Mapping[str, Any] = event.data
    notice = Notice(event.id, order["order_no"], order["id"], order["amount_minor"], at)
    _notices.setdefault((_shop(settings), notice.order_no), notice)  # an event may come twice
    while len(_notices) > _NOTICES_MAX:
        _notices.popitem(last=False)
    return notice


def noticed(settings: Settings, order_no: str) -> Notice | None:
    """The webhook that said that an order is paid; None: none has come to this process."""
    return _notices.get((_shop(settings), order_no))


async def offers(api: Wufeng, merchant: str, amount_minor: int) -> list[Offer]:
    """What instalments would cost; nothing while the bank does not answer: the goods are for sale all the same."""
    try:
        return await api.prices.offers(merchant=merchant, amount_minor=amount_minor)
    except (ApiProblem, OutcomeUnknown):
        return []


async def find(api: Wufeng, order_no: str) -> Order | None:
    """One of the shop's newest hundred orders, by its number."""
    for order in (await api.orders.list(limit=100).page()).data:
        if order.order_no == order_no:
            return order
    return None


def _shop(settings: Settings) -> str:
    assert settings.demo_shop_key is not None, "without a key there is no shop"
    return hashlib.sha256(settings.demo_shop_key.encode()).hexdigest()
