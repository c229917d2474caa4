"""The typed client of the API.

Calls give objects; a declined payment is one of them. A problem is raised as ApiProblem, with its stable `code`.
A call whose outcome is not known is repeated with the same Idempotency-Key until it is, or OutcomeUnknown is raised.
A new call is a method of its resource: one line that names its view, its path and its body.
"""

from wufeng.client.applications import Application, Consent, Declared, LineReview
from wufeng.client.campaigns import Campaign
from wufeng.client.client import Wufeng
from wufeng.client.codes import FriendLink, MerchantCode, OrderCode, PaymentLink, Scan
from wufeng.client.credit import Bill, CreditCap, Line, LineChange, Plan, Repayment
from wufeng.client.errors import ApiProblem, OutcomeUnknown
from wufeng.client.events import (
    LATEST,
    Delivery,
    Event,
    EventPage,
    NotOurs,
    WebhookEndpoint,
    read_event,
    verify_webhook,
)
from wufeng.client.family import FamilyCard
from wufeng.client.operating import ApiKey, BookClock, FeePlan, Merchant, StaffSession, TurnedClock
from wufeng.client.orders import CheckoutSession, InlineOrder, Order, Quote
from wufeng.client.passkeys import Challenge, Device, Passkey
from wufeng.client.pay_codes import OfflineCodes, PayCode, PayCodesStopped
from wufeng.client.payments import Confirmation, Payment, Refund, Source, UndonePayment
from wufeng.client.people import BankAccount, Person, Session
from wufeng.client.records import Decision, Journal
from wufeng.client.resource import Listing, Page
from wufeng.client.rides import Ride, RideCharge, RideTerms
from wufeng.client.transport import VERSION, Attempt, Call, Patience, Repeat, Reply, new_key
from wufeng.client.wallets import Movement, Settlement, Wallet

__all__ = [
    "LATEST",
    "VERSION",
    "ApiKey",
    "ApiProblem",
    "Application",
    "Attempt",
    "BankAccount",
    "Bill",
    "BookClock",
    "Call",
    "Campaign",
    "Challenge",
    "CheckoutSession",
    "Confirmation",
    "Consent",
    "CreditCap",
    "Decision",
    "Declared",
    "Delivery",
    "Device",
    "Event",
    "EventPage",
    "FamilyCard",
    "FeePlan",
    "FriendLink",
    "InlineOrder",
    "Journal",
    "Line",
    "LineChange",
    "LineReview",
    "Listing",
    "Merchant",
    "MerchantCode",
    "Movement",
    "NotOurs",
    "OfflineCodes",
    "Order",
    "OrderCode",
    "OutcomeUnknown",
    "Page",
    "Passkey",
    "Patience",
    "PayCode",
    "PayCodesStopped",
    "Payment",
    "PaymentLink",
    "Person",
    "Plan",
    "Quote",
    "Refund",
    "Repayment",
    "Repeat",
    "Reply",
    "Ride",
    "RideCharge",
    "RideTerms",
    "Scan",
    "Session",
    "Settlement",
    "Source",
    "StaffSession",
    "TurnedClock",
    "UndonePayment",
    "Wallet",
    "WebhookEndpoint",
    "Wufeng",
    "new_key",
    "read_event",
    "verify_webhook",
]
