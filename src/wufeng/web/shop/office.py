"""The shop's back office: it calls the API over the network with its own key, and believes only signed webhooks."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from wufeng.base.config import Settings
from wufeng.client import ApiProblem, Order, OutcomeUnknown, Patience, Wufeng, verify_webhook
from wufeng.client.orders import Offer
from wufeng.web.notices import Notice, Notices

NAME = "Lowmoon"
PAID_STATES = frozenset({"paid", "shipped", "receipt_confirmed"})
TYPES = ("order.paid",)
_PATIENCE = Patience(deadline_s=6.0, attempt_s=6.0)


def connect(settings: Settings, language: str) -> Wufeng:
    """The API as an outsider reaches it: by its address, with the shop's key."""
    assert settings.demo_shop_key is not None, "without a key there is no shop"
    url = f"http://127.0.0.1:{settings.port}"
    book = settings.demo_shop_book
    return Wufeng(url, settings.demo_shop_key, book=book, language=language, patience=_PATIENCE)


def hear(
    settings: Settings, kept: Notices, headers: Mapping[str, str], body: bytes, at: datetime
) -> Notice | None:
    """Take a webhook in. Raises NotOurs for one that the secret did not sign; None: it tells of something else."""
    assert settings.demo_shop_webhook_secret is not None, "without a secret nothing can be verified"
    event = verify_webhook(settings.demo_shop_webhook_secret, headers, body)
    if event.type not in TYPES:
        return None
    order: Mapping[str, Any] = event.data
    notice = Notice(event.id, order["order_no"], order["id"], order["amount_minor"], at)
    kept.keep(notice)
    return notice


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
