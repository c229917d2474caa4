"""People and how they prove themselves, their bank accounts; what a test book would have sent them."""

from datetime import datetime

from msgspec import Struct

from wufeng.client.resource import Listing, Resource, at, given
from wufeng.client.transport import Repeat


class Person(Struct, frozen=True, kw_only=True):
    """A person; phone and name masked."""

    id: str
    created_at: datetime
    status: str
    wallet: str
    tier: int
    mode: str | None = None
    external_id: str | None = None
    phone: str | None = None
    name: str | None = None
    test_outcome: str | None = None


class SentCode(Struct, frozen=True, kw_only=True):
    """A code was asked for; it has gone out if the phone can have one."""

    purpose: str
    expires_at: datetime


class Session(Struct, frozen=True, kw_only=True):
    """A signed-in device. `token`, the credential of what follows, is there only when it was just opened."""

    id: str
    created_at: datetime
    person: str
    auth_level: str
    expires_at: datetime
    revoked_at: datetime | None = None
    token: str | None = None

    def __repr__(self) -> str:
        return f"Session({self.id})"


class Message(Struct, frozen=True, kw_only=True):
    """A text message that a test book kept instead of sending it."""

    id: str
    created_at: datetime
    purpose: str
    code: str
    text: str


class BankAccount(Struct, frozen=True, kw_only=True):
    """A bank account; its number masked."""

    id: str
    created_at: datetime
    bank: str
    number: str
    status: str
    person: str | None = None


class People(Resource):
    """People of the operator."""

    async def create(
        self, *, external_id: str, phone: str, name: str | None = None, document: str | None = None
    ) -> Person:
        """Make a person; the same external_id and phone again give the same person."""
        body = given(external_id=external_id, phone=phone, name=name, document=document)
        return await self._post(Person, "/v1/people", body, Repeat.SAFE)

    async def get(self, id_: str) -> Person:
        """One person."""
        return await self._get(Person, f"/v1/people/{at(id_)}")

    async def set_pin(
        self, id_: str, *, pin: str, old_pin: str | None = None, code: str | None = None
    ) -> Person:
        """Set the payment PIN, or change it: with the old one, or a one-time code sent for the purpose `pin`."""
        body = given(pin=pin, old_pin=old_pin, code=code)
        return await self._post(Person, f"/v1/people/{at(id_)}/pin", body)

    async def freeze(self, id_: str, *, reason: str | None = None) -> Person:
        """Stop everything of a person: a lost phone."""
        return await self._post(Person, f"/v1/people/{at(id_)}/freeze", given(reason=reason), Repeat.SAFE)

    async def unfreeze(self, id_: str, *, reason: str) -> Person:
        """Let a frozen person act again."""
        return await self._post(Person, f"/v1/people/{at(id_)}/unfreeze", {"reason": reason}, Repeat.SAFE)


class Sessions(Resource):
    """Signing in and out."""

    async def send_code(self, *, phone: str, purpose: str = "sign_in") -> SentCode:
        """Send a one-time code to a phone, to sign in or to set the PIN (`pin`)."""
        return await self._post(SentCode, "/v1/sessions/codes", {"phone": phone, "purpose": purpose})

    async def create(self, *, phone: str, code: str, device: str | None = None) -> Session:
        """Sign in with a one-time code."""
        return await self._post(Session, "/v1/sessions", given(phone=phone, code=code, device=device))

    async def step_up(self, *, pin: str) -> Session:
        """Prove the PIN inside a live session: the session stepped up, with a new token."""
        return await self._post(Session, "/v1/sessions", {"pin": pin})

    async def end(self, id_: str) -> Session:
        """Sign a device of the caller's out."""
        return await self._delete(Session, f"/v1/sessions/{at(id_)}")


class Messages(Resource):
    """What a test book would have sent."""

    def list(self, *, phone: str, limit: int | None = None) -> Listing[Message]:
        """The messages to a phone, the latest first."""
        return self._list(Message, "/v1/messages", given(phone=phone, limit=limit))


class BankAccounts(Resource):
    """A person's bank accounts."""

    async def create(self, *, number: str, bank: str) -> BankAccount:
        """Name a bank account; the bank says whether it is the person's."""
        return await self._post(BankAccount, "/v1/bank_accounts", {"number": number, "bank": bank})

    def list(self) -> Listing[BankAccount]:
        """The caller's bank accounts."""
        return self._list(BankAccount, "/v1/bank_accounts")

    async def delete(self, id_: str) -> BankAccount:
        """Forget a bank account."""
        return await self._delete(BankAccount, f"/v1/bank_accounts/{at(id_)}")
