"""What the demo's shop has learnt from webhooks since its process began; after a restart it asks the API."""

from collections import OrderedDict
from datetime import datetime

from msgspec import Struct

AT_MOST = 1_000


class Notice(Struct, frozen=True):
    """A webhook that was verified, with the instant at which it came."""

    event: str
    order_no: str
    order: str
    amount_minor: int
    came_at: datetime


class Notices:
    """By order number: what was sold in this process, and what webhooks said of it."""

    def __init__(self) -> None:
        self._sold: OrderedDict[str, str] = OrderedDict()
        self._said: OrderedDict[str, Notice] = OrderedDict()

    def sell(self, order_no: str, checkout: str = "") -> None:
        """This process has made that order, so its webhook comes to it; `checkout` is the page on which it is paid."""
        self._sold[order_no] = checkout
        if len(self._sold) > AT_MOST:
            self._sold.popitem(last=False)

    def sold(self, order_no: str) -> bool:
        """Whether the order was made since this process began."""
        return order_no in self._sold

    def checkout_of(self, order_no: str) -> str:
        """The page on which an order is paid; empty for one that this process does not know."""
        return self._sold.get(order_no, "")

    def keep(self, notice: Notice) -> None:
        """Keep what a webhook said; an event may come twice, and the first counts."""
        self._said.setdefault(notice.order_no, notice)
        if len(self._said) > AT_MOST:
            self._said.popitem(last=False)

    def of(self, order_no: str) -> Notice | None:
        """The webhook that said that an order is paid; None: none has come to this process."""
        return self._said.get(order_no)
