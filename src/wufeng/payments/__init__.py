"""Payments: orders, payments, refunds, offers, quotes, checkout sessions."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from wufeng.base.claims import Answer
from wufeng.base.errors import Problem
from wufeng.base.lanes import Batch, Command, Handler
from wufeng.identity import Merchants
from wufeng.payments.catalogue import Catalogue
from wufeng.payments.events import EVENT_TYPES, expand
from wufeng.payments.pay.model import Capture, Funding, Pay, PaymentStatus, Reader
from wufeng.payments.pay.start import pay
from wufeng.payments.pay.state import Desk

_Handle = Callable[[Batch, Desk, Sequence[Any]], Awaitable[Sequence[Answer | Problem]]]


def handlers(catalogue: Catalogue, merchants: Merchants) -> dict[type[Command], Handler]:
    """The lane handlers of this context, deciding by that catalogue."""
    desk = Desk(catalogue, merchants)
    table: dict[type[Command], _Handle] = {Pay: pay}
    return {kind: _at(desk, handle) for kind, handle in table.items()}


def _at(desk: Desk, handle: _Handle) -> Handler:
    async def handler(batch: Batch, commands: Sequence[Any]) -> Sequence[Answer | Problem]:
        return await handle(batch, desk, commands)

    return handler


__all__ = [
    "EVENT_TYPES",
    "Capture",
    "Catalogue",
    "Funding",
    "Pay",
    "PaymentStatus",
    "Reader",
    "expand",
    "handlers",
]
