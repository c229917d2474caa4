"""Payments: orders, payments, refunds, offers, quotes, checkout sessions."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from wufeng.base.claims import Answer
from wufeng.base.errors import Problem
from wufeng.base.lanes import Batch, Command, Handler
from wufeng.credit import accrual_breaks
from wufeng.identity import Merchants
from wufeng.payments.campaigns.commands import create as create_campaigns
from wufeng.payments.campaigns.commands import even_out, move_campaign
from wufeng.payments.campaigns.model import Campaign, CampaignStatus, CampaignView, CreateCampaign
from wufeng.payments.campaigns.queries import list_campaigns, load_campaign
from wufeng.payments.campaigns.rules import check_new as check_new_campaign
from wufeng.payments.campaigns.verify import budget_breaks
from wufeng.payments.campaigns.views import view_campaign
from wufeng.payments.catalogue import Catalogue
from wufeng.payments.checkout.commands import NewSession, cancel_checkout, create_checkout, expire_checkout
from wufeng.payments.checkout.model import CheckoutView
from wufeng.payments.checkout.queries import bind_funding, load_checkout
from wufeng.payments.checkout.views import view_session
from wufeng.payments.events import EVENT_TYPES, expand
from wufeng.payments.expiry import expire_due
from wufeng.payments.family.commands import create as create_cards
from wufeng.payments.family.commands import move as move_cards
from wufeng.payments.family.commands import set_caps
from wufeng.payments.family.model import CreateCard, MoveCard, SetCaps
from wufeng.payments.family.verify import family_breaks
from wufeng.payments.orders.commands import (
    ConfirmReceipt,
    CreateOrder,
    ExpireOrders,
    MoveOrder,
    confirm_receipt,
    create,
    expire_orders,
    move,
)
from wufeng.payments.orders.model import Channel, OrderState, OrderTerms, OrderView, Receipt, order_id
from wufeng.payments.orders.queries import find_order, list_orders
from wufeng.payments.orders.views import view_order
from wufeng.payments.pay.capturing import capture
from wufeng.payments.pay.confirming import confirm, refuse
from wufeng.payments.pay.ending import void
from wufeng.payments.pay.model import (
    Capture,
    CapturePayment,
    Confirm,
    ExpirePayments,
    Funding,
    Pay,
    PaymentFilter,
    PaymentStatus,
    Presented,
    Reader,
    Refuse,
    ReviewPayment,
    VoidPayment,
)
from wufeng.payments.pay.queries import list_payments, load_payment, show_payments
from wufeng.payments.pay.reviewing import expire, review
from wufeng.payments.pay.start import pay
from wufeng.payments.pay.state import Desk
from wufeng.payments.pay.views import PaymentView
from wufeng.payments.quotes.commands import (
    carried_by_campaign,
    create_quote,
    funding_of_option,
    list_offers,
)
from wufeng.payments.quotes.model import Asked, OfferView, QuoteView
from wufeng.payments.refunds.commands import answer, refund, refund_answered, send_back
from wufeng.payments.refunds.model import (
    CreateRefund,
    RefundAnswered,
    RefundReason,
    RefundView,
    UndonePayment,
    UndoPayment,
)
from wufeng.payments.refunds.queries import load_refund
from wufeng.payments.refunds.undoing import undo
from wufeng.payments.refunds.views import view_refund
from wufeng.payments.rides.commands import charge as charge_open_rides
from wufeng.payments.rides.commands import pay_by_hand as pay_ride_charges
from wufeng.payments.rides.commands import take as take_rides
from wufeng.payments.rides.model import ChargeRides, PayRideCharge, TakeRide
from wufeng.payments.rides.timer import charge_rides
from wufeng.payments.shipments.close import close_steps as receipt_steps
from wufeng.payments.shipments.commands import TakeShipments, take
from wufeng.payments.shipments.follower import shipments_follower
from wufeng.risk.model import Confirmation

_Handle = Callable[[Batch, Desk, Sequence[Any]], Awaitable[Sequence[Answer | Problem]]]


LEDGER_CHECKS = (accrual_breaks, budget_breaks, family_breaks)
"""What the proof of the ledger looks at beside it: the sums and budgets that are kept apart from the journals."""


def handlers(catalogue: Catalogue, merchants: Merchants) -> dict[type[Command], Handler]:
    """The lane handlers of this context, deciding by that catalogue."""
    desk = Desk(catalogue, merchants)
    table: dict[type[Command], _Handle] = {
        CreateCard: create_cards,
        SetCaps: set_caps,
        MoveCard: move_cards,
        TakeRide: take_rides,
        ChargeRides: charge_open_rides,
        PayRideCharge: pay_ride_charges,
        Pay: pay,
        Confirm: confirm,
        Refuse: refuse,
        ReviewPayment: review,
        CapturePayment: capture,
        VoidPayment: void,
        ExpirePayments: expire,
        CreateOrder: create,
        MoveOrder: move,
        ConfirmReceipt: confirm_receipt,
        ExpireOrders: expire_orders,
        TakeShipments: take,
        CreateRefund: refund,
        UndoPayment: undo,
        RefundAnswered: answer,
        CreateCampaign: create_campaigns,
    }
    return {kind: _at(desk, handle) for kind, handle in table.items()}


def _at(desk: Desk, handle: _Handle) -> Handler:
    async def handler(batch: Batch, commands: Sequence[Any]) -> Sequence[Answer | Problem]:
        return await handle(batch, desk, commands)

    return handler


__all__ = [
    "EVENT_TYPES",
    "LEDGER_CHECKS",
    "Asked",
    "Campaign",
    "CampaignStatus",
    "CampaignView",
    "Capture",
    "CapturePayment",
    "Catalogue",
    "Channel",
    "CheckoutView",
    "Confirm",
    "ConfirmReceipt",
    "Confirmation",
    "CreateCampaign",
    "CreateOrder",
    "CreateRefund",
    "ExpireOrders",
    "ExpirePayments",
    "Funding",
    "MoveOrder",
    "NewSession",
    "OfferView",
    "OrderState",
    "OrderTerms",
    "OrderView",
    "Pay",
    "PaymentFilter",
    "PaymentStatus",
    "PaymentView",
    "Presented",
    "QuoteView",
    "Reader",
    "Receipt",
    "RefundAnswered",
    "RefundReason",
    "RefundView",
    "Refuse",
    "ReviewPayment",
    "UndoPayment",
    "UndonePayment",
    "VoidPayment",
    "bind_funding",
    "cancel_checkout",
    "carried_by_campaign",
    "charge_rides",
    "check_new_campaign",
    "create_checkout",
    "create_quote",
    "even_out",
    "expand",
    "expire_checkout",
    "expire_due",
    "find_order",
    "funding_of_option",
    "handlers",
    "list_campaigns",
    "list_offers",
    "list_orders",
    "list_payments",
    "load_campaign",
    "load_checkout",
    "load_payment",
    "load_refund",
    "move_campaign",
    "order_id",
    "receipt_steps",
    "refund_answered",
    "send_back",
    "shipments_follower",
    "show_payments",
    "view_campaign",
    "view_order",
    "view_refund",
    "view_session",
]
