"""The world that the authorisation matrix is asked in: callers of every kind, and objects that belong to them."""

import secrets
from datetime import timedelta
from typing import Any
from uuid import UUID

from msgspec import Struct

from wufeng.base.books import Book
from wufeng.base.ids import Prefix, decode, encode, slot_of
from wufeng.credit.applications.policy import shipped_application_policy
from wufeng.identity.callers import CallerKind
from wufeng.identity.keys.commands import create_key, revoke_key
from wufeng.identity.keys.model import SCOPES, KeyKind, NewKey, Scope
from wufeng.identity.keys.rules import platform_id
from wufeng.identity.passkeys.store import NewPasskey, insert_passkey
from wufeng.identity.sessions.commands import open_session, revoke_session, step_up
from wufeng.identity.sessions.model import SESSION_LASTS, AuthLevel, Opened
from wufeng.identity.staff.commands import create_staff, sign_in_staff
from wufeng.identity.staff.model import Role
from wufeng.identity.vault import Private
from wufeng.payments import Funding, Presented
from wufeng.payments.rides import store as rides
from wufeng.payments.rides.model import Rider, TakeRide
from wufeng.payments.rides.rules import open_charge, ride_of

from .conftest import PIN, Api, Person, Shop

DAYS_TO_THE_FIRST_BILL = 28  # from 3 September to 1 October
ENDPOINT = {"url": "http://127.0.0.1:9/hook"}
CONSENTS = [
    {"purpose": consent.purpose, "version": consent.version}
    for consent in shipped_application_policy().consents
]


class LiveApi(Api):
    """The same application, in its live book."""

    @property
    def book(self) -> Book:
        return self.app.books.named("live")


class Who(Struct, frozen=True, kw_only=True):
    """A caller of the matrix; what access depends on, and whose objects are its own.

    kind   None: no valid credential
    owns   the owner whose objects are its own; other: whose are not
    """

    name: str
    token: str | None
    kind: CallerKind | None
    owns: str = ""
    other: str = "A"
    scopes: frozenset[Scope] = frozenset()
    role: Role | None = None
    level: AuthLevel | None = None
    live: bool = False
    session: str = ""


class World:
    """Callers, and objects by owner and kind.

    Owners: A (code), P (PIN), B are people who call, A and P buy from merchant A, B from merchant B; C never calls:
    what is C's stands for the operator's own. `live` lives in another book.
    """

    def __init__(self, api: Api) -> None:
        self.api = api
        self.live = LiveApi(api.app, api.http, api.clock, "")
        self.live.numbers = api.numbers
        self.things: dict[str, dict[str, str]] = {}
        self.people: dict[str, Person] = {}
        self.shops: dict[str, Shop] = {}
        self.callers: list[Who] = []

    async def furnish(self) -> None:
        """Make everything, through the application itself."""
        api, live = self.api, self.live
        api.platform = (await self._platform_key(api.book)).text
        live.platform = (await self._platform_key(live.book)).text
        await api.post("/v1/webhook_endpoints", api.platform, ENDPOINT)
        shop_a = await api.new_merchant()
        for owner, home, shop in (
            ("A", api, shop_a),
            ("P", api, shop_a),
            ("B", api, await api.new_merchant()),
            ("C", api, await api.new_merchant()),
            ("live", live, await live.new_merchant()),
        ):
            self.shops[owner] = shop
            person = self.people[owner] = await home.new_person(wallet_minor=100_00)
            application = await self._applied(home, person)
            person.line = await home.open_line(decode(Prefix.PERSON, person.id), 1_000_00)
            self.things[owner] = await self._objects(owner) | {"application": application}
        await api.catch_up()
        await api.app.services.turn_days(api.book, DAYS_TO_THE_FIRST_BILL)
        for owner in ("A", "P", "B", "C"):
            bills = await api.get(
                "/v1/bills", self.people[owner].token, params={"line": self.people[owner].line}
            )
            self.things[owner]["bill"] = bills.json()["data"][0]["id"]
        for owner in ("A", "B", "C"):
            settled = await api.get("/v1/settlements", self.shops[owner].key)
            self.things[owner]["settlement"] = settled.json()["data"][0]["id"]
        self.things["P"]["settlement"] = self.things["A"]["settlement"]
        for owner in ("A", "B", "C", "live"):
            self.things[owner]["delivery"] = await self._delivery(self.shops[owner].key)
        self.things["P"]["delivery"] = self.things["A"]["delivery"]
        self.things["platform"] = {
            "delivery": await self._delivery(api.platform),
            "webhook_endpoint": (await api.get("/v1/webhook_endpoints", api.platform)).json()["data"][0][
                "id"
            ],
        }
        await self._hire()

    def home(self, owner: str) -> Api:
        """The book that an owner lives in."""
        return self.live if owner == "live" else self.api

    async def make(self, kind: str, owner: str) -> str:
        """An object made for one cell alone, since the call ends it."""
        home = self.home(owner)
        at, services = home.book.at(home.clock), home.app.services
        match kind:
            case "api_key":
                merchant_id = decode(Prefix.MERCHANT, self.shops[owner].id)
                key = await self._key(home.book, KeyKind.MERCHANT, merchant_id, None)
                return encode(Prefix.API_KEY, key.key.id)
            case "session":
                async with services.database.transaction() as db:
                    person_id = decode(Prefix.PERSON, self.people[owner].id)
                    opened = await open_session(db, services.ids, home.book, person_id, "", at)
                return encode(Prefix.SESSION, opened.session_id)
            case "device":
                async with services.database.transaction() as db:
                    person_id = decode(Prefix.PERSON, self.people[owner].id)
                    opened = await open_session(db, services.ids, home.book, person_id, "", at)
                assert opened.device_id is not None
                return encode(Prefix.DEVICE, opened.device_id)
            case "passkey":
                return await self._passkey(home, decode(Prefix.PERSON, self.people[owner].id))
            case "bank_account":
                number = {"bank": "ICBC", "number": f"62{next(home.numbers):015d}"}
                return await self._made(home, "/v1/bank_accounts", self.people[owner].token, number)
            case "webhook_endpoint":
                key_text = self.api.platform if owner == "platform" else self.shops[owner].key
                return await self._made(home, "/v1/webhook_endpoints", key_text, ENDPOINT)
            case _:
                raise AssertionError(f"the matrix cannot make a {kind} for one cell")

    async def _passkey(self, home: Api, person_id: UUID) -> str:
        """A passkey of a person, as an authenticator would have made it."""
        services, at = home.app.services, home.book.at(home.clock)
        passkey = NewPasskey(
            id=services.ids.new(at, slot_of(person_id)),
            person_id=person_id,
            credential_id=secrets.token_bytes(32),
            public_key=b"never asked",
            sign_count=0,
            name="matrix",
            device_id=None,
            created_at=at,
        )
        async with services.database.read() as db:
            assert await insert_passkey(db, home.book.bucket_of(person_id), passkey)
        return encode(Prefix.PASSKEY, passkey.id)

    async def _objects(self, owner: str) -> dict[str, str]:
        home, person, shop = self.home(owner), self.people[owner], self.shops[owner]
        things = {"person": person.id, "wallet": person.wallet, "merchant": shop.id, "line": person.line}
        things["staff"] = await self._member(home.book)
        for kind in ("webhook_endpoint", "api_key", "session", "device", "passkey", "bank_account"):
            things[kind] = await self.make(kind, owner)
        paid = await home.pay(person, shop, 12_00)
        assert paid.status_code == 201, paid.text
        seen = paid.json()
        things |= {"payment": seen["id"], "order": seen["order"], "decision": seen["decision"]}
        open_order = home.order(shop, 10_00)
        del open_order["merchant"]
        things["open_order"] = await self._made(home, "/v1/orders", shop.key, open_order)
        refund = {"payment": seen["id"], "refund_no": "r1", "amount_minor": 1, "reason": "test"}
        things["refund"] = await self._made(home, "/v1/refunds", shop.key, refund)
        checkout = {"order": things["open_order"], "return_url": "https://shop.test/back"}
        campaign = {
            "name": "c",
            "from_on": "2026-09-03",
            "until_on": "2027-09-03",
            "tenors": [12],
            "share_ppm": 1,
        }
        things["campaign"] = await self._made(home, "/v1/campaigns", shop.key, campaign)
        instalments = await home.pay(person, shop, 300_00, funding=[{"line": person.line, "tenor": 3}])
        assert instalments.status_code == 201, instalments.text
        things["plan"] = instalments.json()["funding"][0]["draw"].replace("drw_", "pln_")
        repayment = {"line": person.line, "amount_minor": 1, "source": person.wallet}
        things["repayment"] = await self._made(home, "/v1/repayments", person.token, repayment)
        things["checkout_session"] = await self._made(home, "/v1/checkout_sessions", shop.key, checkout)
        things |= await self._codes(home, person, shop, things["open_order"])
        card = {
            "phone": "+8613700000000",
            "name": "matrix",
            "wallet": person.wallet,
            "month_cap_minor": 1_00,
            "confirmation": {"kind": "pin", "proof": PIN},
        }
        things["family_card"] = await self._made(home, "/v1/family_cards", person.token, card)
        things |= await self._ridden(home, person, shop)
        return things

    async def _ridden(self, home: Api, person: Person, shop: Shop) -> dict[str, str]:
        """A ride that its gate has told of, and what it costs."""
        services, at = home.app.services, home.book.at(home.clock)
        payer_id, merchant_id = decode(Prefix.PERSON, person.id), decode(Prefix.MERCHANT, shop.id)
        tap = TakeRide(
            at=at,
            ride_id=services.ids.new(at, slot_of(payer_id)),
            merchant_id=merchant_id,
            payer_id=payer_id,
            ride_no="mx",
            fare_minor=1,
            funding=Funding(use_wallet=True, line_id=None),
            presented=Presented(UUID(int=1), UUID(int=2), made_at=at),
        )
        rider = Rider(frozen=False, closed=False, charges=(), day_due_minor=0, day_cap_minor=1)
        charge = open_charge(tap, rider, services.ids.new(at, slot_of(payer_id)), home.book.business_date(at))
        async with services.database.transaction() as db:
            await rides.write_charges(db, home.book.bucket_of(payer_id), [charge])
            await rides.insert_rides(db, home.book.bucket_of(payer_id), [ride_of(tap, rider, charge)])
        return {
            "ride": encode(Prefix.RIDE, tap.ride_id),
            "ride_charge": encode(Prefix.RIDE_CHARGE, charge.id),
        }

    async def _codes(self, home: Api, person: Person, shop: Shop, order: str) -> dict[str, str]:
        code = await self._made(home, "/v1/merchant_codes", shop.key, {"label": "till"})
        link = await home.post("/v1/payment_links", shop.key, {"amount_minor": 1, "subject": "tea"})
        friend = await home.post(f"/v1/orders/{order}/friend_links", person.token)
        assert (link.status_code, friend.status_code) == (201, 201), (link.text, friend.text)
        return {
            "merchant_code": code,
            "payment_link": link.json()["id"],
            "payment_link_token": link.json()["url"].rpartition("/")[2],
            "friend_link": friend.json()["id"],
            "friend_link_token": friend.json()["url"].rpartition("/")[2],
        }

    async def _applied(self, home: Api, person: Person) -> str:
        """An application that was offered a line. The operator has seen the person's papers: tier II."""
        async with home.app.services.database.transaction() as db:
            await db.execute("update person set tier = 2 where id = $1", decode(Prefix.PERSON, person.id))
        asked = {"product": "monthly_bill", "consents": CONSENTS, "declared": {"born_on": "1990-01-02"}}
        return await self._made(home, "/v1/applications", person.token, asked)

    async def _made(self, home: Api, path: str, token: str, body: Any) -> str:
        answer = await home.post(path, token, body)
        assert answer.status_code in (201, 202), answer.text
        made: str = answer.json()["id"]
        return made

    async def _delivery(self, token: str) -> str:
        endpoint = (await self.api.get("/v1/webhook_endpoints", token)).json()["data"][0]["id"]
        found = await self.api.get(f"/v1/webhook_endpoints/{endpoint}/deliveries", token)
        delivery: str = found.json()["data"][0]["id"]
        return delivery

    async def _platform_key(self, book: Book, lacking: Scope | None = None) -> NewKey:
        return await self._key(book, KeyKind.PLATFORM, platform_id(book.id), lacking)

    async def _key(self, book: Book, kind: KeyKind, owner_id: UUID, lacking: Scope | None) -> NewKey:
        services = self.api.app.services
        async with services.database.transaction() as db:
            return await create_key(
                db,
                services.ids,
                book,
                kind,
                owner_id,
                "matrix",
                book.at(self.api.clock),
                SCOPES[kind] - {lacking},
            )

    async def _hire(self) -> None:
        self.callers += await self._refused()
        self.callers += await self._persons()
        self.callers += await self._keys()
        self.callers += [await self._staff(role) for role in Role]

    async def _refused(self) -> list[Who]:
        """Everyone without a valid credential."""
        services, book, at = self.api.app.services, self.api.book, self.api.book.at(self.api.clock)
        person_id, dead_key = decode(Prefix.PERSON, self.people["A"].id), await self._platform_key(book)
        async with services.database.transaction() as db:
            await revoke_key(db, book, platform_id(book.id), dead_key.key.id, at)
            old = await open_session(
                db, services.ids, book, person_id, "", at - SESSION_LASTS - timedelta(seconds=1)
            )
            ended = await open_session(db, services.ids, book, person_id, "", at)
        await revoke_session(services.database, book, ended.session_id, person_id, at)
        boss, _ = await self._sign_in(Role.ADMIN)
        async with services.database.read() as db:
            await db.execute("update staff_session set revoked_at = $1", at)
        tokens = {
            "none": None,
            "malformed": "no-token",
            "changed": self.api.platform[:-1] + ("A" if self.api.platform[-1] != "A" else "B"),
            "expired session": old.token,
            "ended session": ended.token,
            "revoked key": dead_key.text,
            "ended staff": boss,
        }
        return [Who(name=name, token=token, kind=None, owns="A", other="B") for name, token in tokens.items()]

    async def _persons(self) -> list[Who]:
        services, book, at = self.api.app.services, self.api.book, self.api.book.at(self.api.clock)
        person_id = decode(Prefix.PERSON, self.people["P"].id)
        async with services.database.transaction() as db:
            opened: Opened = await open_session(db, services.ids, book, person_id, "", at)
        raised = await step_up(
            services.database,
            services.vault,
            services.ids,
            book,
            opened.session_id,
            person_id,
            Private(PIN),
            at,
        )
        kind, code = CallerKind.PERSON, AuthLevel.CODE
        return [
            Who(name="person A", token=self.people["A"].token, kind=kind, owns="A", other="B", level=code),
            Who(name="person B", token=self.people["B"].token, kind=kind, owns="B", other="A", level=code),
            Who(name="person P", token=raised.token, kind=kind, owns="P", other="B", level=AuthLevel.PIN),
            Who(name="live person", token=self.people["live"].token, kind=kind, level=code, live=True),
        ]

    async def _keys(self) -> list[Who]:
        """A key with all scopes, and one that lacks each."""
        found: list[Who] = []
        for owner, other in (("A", "B"), ("B", "A")):
            merchant_id = decode(Prefix.MERCHANT, self.shops[owner].id)
            for lacking in (None, *sorted(SCOPES[KeyKind.MERCHANT])):
                key = await self._key(self.api.book, KeyKind.MERCHANT, merchant_id, lacking)
                found.append(_who(f"merchant {owner}", CallerKind.MERCHANT, key, lacking, owner, other))
        for lacking in (None, *sorted(SCOPES[KeyKind.PLATFORM])):
            key = await self._platform_key(self.api.book, lacking)
            found.append(_who("platform", CallerKind.PLATFORM, key, lacking, "C", "live"))
        live_id = decode(Prefix.MERCHANT, self.shops["live"].id)
        for name, kind, key in (
            ("live platform", CallerKind.PLATFORM, await self._platform_key(self.live.book)),
            (
                "live merchant",
                CallerKind.MERCHANT,
                await self._key(self.live.book, KeyKind.MERCHANT, live_id, None),
            ),
        ):
            found.append(Who(name=name, token=key.text, kind=kind, scopes=key.key.scopes, live=True))
        return found

    async def _staff(self, role: Role) -> Who:
        token, session_id = await self._sign_in(role)
        _, other = await self._sign_in(role)
        self.things.setdefault("other staff", {})["staff_session"] = other
        return Who(
            name=f"staff {role}",
            token=token,
            kind=CallerKind.STAFF,
            owns="C",
            other="live",
            role=role,
            session=session_id,
        )

    async def _member(self, book: Book) -> str:
        """A member of staff of a book, who never signs in."""
        services, login = self.api.app.services, f"mx{next(self.api.numbers)}"
        password, now = Private("correct horse battery 9"), services.clock.now()
        async with services.database.read() as db:
            made = await create_staff(
                db, services.vault, services.ids, login, "M", password, Role.ANALYST, [book], now
            )
        return encode(Prefix.STAFF, made.id)

    async def _sign_in(self, role: Role) -> tuple[str, str]:
        services, login = self.api.app.services, f"mx{next(self.api.numbers)}"
        password, now = Private("correct horse battery 9"), services.clock.now()
        async with services.database.read() as db:
            await create_staff(
                db, services.vault, services.ids, login, "M", password, role, [self.api.book], now
            )
        opened = await sign_in_staff(
            services.database, services.vault, services.ids, services.books, login, password, None, now
        )
        return opened.token, encode(Prefix.SESSION, opened.session_id)


def _who(name: str, kind: CallerKind, key: NewKey, lacking: Scope | None, owns: str, other: str) -> Who:
    shown = name if lacking is None else f"{name} without {lacking}"
    return Who(name=shown, token=key.text, kind=kind, owns=owns, other=other, scopes=key.key.scopes)
