"""The REST API v1: one file of routes a context, one table of them all."""

from functools import cache

import msgspec

from wufeng.api import (
    applications,
    bank_accounts,
    bills,
    campaigns,
    checkout,
    clock,
    decisions,
    devices,
    events,
    family,
    ledger,
    lines,
    links,
    merchant_codes,
    merchants,
    orders,
    passkeys,
    pay_codes,
    payments,
    people,
    phones,
    plans,
    quotes,
    refunds,
    rides,
    server,
    sessions,
    settlements,
    staff,
    verifications,
    wallets,
)
from wufeng.api.openapi import document
from wufeng.api.reference import create_reference
from wufeng.api.routing import Api, Route
from wufeng.identity import RULES
from wufeng.services import Services

__all__ = ["ROUTES", "Api", "Route", "Services", "create_api", "openapi_document"]

ROUTES: tuple[Route, ...] = (
    *people.ROUTES,
    *phones.ROUTES,
    *verifications.ROUTES,
    *sessions.ROUTES,
    *devices.ROUTES,
    *passkeys.ROUTES,
    *wallets.ROUTES,
    *bank_accounts.ROUTES,
    *merchants.ROUTES,
    *staff.ROUTES,
    *orders.ROUTES,
    *quotes.ROUTES,
    *payments.ROUTES,
    *pay_codes.ROUTES,
    *family.ROUTES,
    *rides.ROUTES,
    *refunds.ROUTES,
    *applications.ROUTES,
    *lines.ROUTES,
    *bills.ROUTES,
    *plans.ROUTES,
    *checkout.ROUTES,
    *campaigns.ROUTES,
    *merchant_codes.ROUTES,
    *links.ROUTES,
    *settlements.ROUTES,
    *events.ROUTES,
    *decisions.ROUTES,
    *ledger.ROUTES,
    *clock.ROUTES,
    *server.ROUTES,
)
"""Every call, in the order of API.md."""


@cache
def openapi_document() -> bytes:
    """The OpenAPI document as it is served and committed (docs/openapi.json)."""
    return msgspec.json.format(msgspec.json.encode(document(ROUTES)), indent=1) + b"\n"


def create_api(services: Services) -> Api:
    """The HTTP application: the table of routes, with its reference beside it.

    Does not start with a route that no access rule names.
    """
    unruled = [route.operation for route in ROUTES if route.operation not in RULES]
    assert not unruled, f"routes without an access rule: {', '.join(unruled)}"
    return Api(services, ROUTES, create_reference(services, openapi_document()))
