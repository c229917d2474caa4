"""The client: one caller of one installation."""

import ssl
from collections.abc import Callable
from functools import cache
from types import TracebackType
from typing import Self

import httpx

from wufeng.client import (
    applications,
    campaigns,
    codes,
    credit,
    events,
    family,
    operating,
    orders,
    passkeys,
    pay_codes,
    payments,
    people,
    records,
    rides,
    wallets,
)
from wufeng.client.transport import VERSION, Attempt, Call, Patience, Reply, Transport, watch_nothing


@cache
def _trust() -> ssl.SSLContext:
    """Whom the machine trusts: a file of hundreds of certificates, read once a process."""
    return httpx.create_ssl_context(trust_env=False)


class Wufeng:
    """The whole API for one caller, typed.

        async with Wufeng("http://127.0.0.1:8080", key) as wufeng:
            payment = await wufeng.payments.create(order=InlineOrder(…), payer=person.id)

    token      an API key, or a session's token; None: public calls only
    book       which book public calls are for; None: the first
    language   of texts, `zh` or `en`; codes never change with it
    patience   how long a call without a definite answer is repeated
    transport  what carries the requests instead of a network: an httpx.ASGITransport in tests
    watch      called after each sending, with its bytes
    """

    def __init__(
        self,
        base_url: str,
        token: str | None = None,
        *,
        book: str | None = None,
        language: str = "en",
        patience: Patience = Patience(),  # noqa: B008 (frozen)
        transport: httpx.AsyncBaseTransport | None = None,
        watch: Callable[[Attempt], None] = watch_nothing,
    ) -> None:
        self._http = httpx.AsyncClient(
            base_url=base_url,
            transport=transport,
            timeout=None,  # noqa: S113  each sending has its own, over all its parts
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=64),
            trust_env=False,
            verify=_trust(),
        )
        headers = {"Wufeng-Version": VERSION, "Accept-Language": language, "User-Agent": "wufeng-client"}
        if book is not None:
            headers["Wufeng-Book"] = book
        self._use(Transport(self._http, headers, patience, watch).with_token(token))

    def _use(self, transport: Transport) -> None:
        self._transport = transport
        self.people = people.People(transport)
        self.sessions = people.Sessions(transport)
        self.devices = passkeys.Devices(transport)
        self.passkeys = passkeys.Passkeys(transport)
        self.confirmations = passkeys.Confirmations(transport)
        self.messages = people.Messages(transport)
        self.bank_accounts = people.BankAccounts(transport)
        self.merchants = operating.Merchants(transport)
        self.api_keys = operating.ApiKeys(transport)
        self.staff = operating.Staff(transport)
        self.orders = orders.Orders(transport)
        self.prices = orders.Prices(transport)
        self.payments = payments.Payments(transport)
        self.refunds = payments.Refunds(transport)
        self.pay_codes = pay_codes.PayCodes(transport)
        self.checkout_sessions = orders.CheckoutSessions(transport)
        self.campaigns = campaigns.Campaigns(transport)
        self.family_cards = family.FamilyCards(transport)
        self.rides = rides.Rides(transport)
        self.ride_charges = rides.RideCharges(transport)
        self.merchant_codes = codes.MerchantCodes(transport)
        self.scans = codes.Scans(transport)
        self.payment_links = codes.PaymentLinks(transport)
        self.friend_links = codes.FriendLinks(transport)
        self.wallets = wallets.Wallets(transport)
        self.settlements = wallets.Settlements(transport)
        self.applications = applications.Applications(transport)
        self.lines = credit.Lines(transport)
        self.bills = credit.Bills(transport)
        self.plans = credit.Plans(transport)
        self.repayments = credit.Repayments(transport)
        self.events = events.Events(transport)
        self.webhook_endpoints = events.WebhookEndpoints(transport)
        self.decisions = records.Decisions(transport)
        self.journals = records.Journals(transport)
        self.clock = operating.Clock(transport)

    def as_caller(self, token: str | None) -> "Wufeng":
        """Another caller over the same connections, which this one closes: a person who has just signed in."""
        return self._over(self._transport.with_token(token))

    def in_book(self, book: str) -> "Wufeng":
        """The same caller, whose public calls are for that book."""
        return self._over(self._transport.with_book(book))

    def from_address(self, address: str) -> "Wufeng":
        """The same caller, on behalf of a visitor at that address: for a server that is a trusted proxy."""
        return self._over(self._transport.from_address(address))

    def _over(self, transport: Transport) -> "Wufeng":
        other = Wufeng.__new__(Wufeng)
        other._http = self._http
        other._use(transport)
        return other

    async def send(self, call: Call) -> Reply:
        """Any call, by the same outcome protocol, with the bytes of its answer."""
        return await self._transport.send(call)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Give up the connections."""
        await self._http.aclose()
