"""People and how they prove themselves, their bank accounts; what a test book would have sent them."""

from datetime import datetime

from msgspec import Struct

from wufeng.client.passkeys import Challenge
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
    cooling_ends_at: datetime | None = None


class SentCode(Struct, frozen=True, kw_only=True):
    """A code was asked for; it has gone out if the phone can have one."""

    purpose: str
    expires_at: datetime


class Session(Struct, frozen=True, kw_only=True):
    """A signed-in device. `token`, the credential of what follows, is there only when it was just opened.

    device_proof  of a device that was not known: it shows it at its next sign-in, and is the same device
    """

    id: str
    created_at: datetime
    person: str
    auth_level: str
    expires_at: datetime
    device: str | None = None
    device_name: str = ""
    is_current: bool | None = None
    revoked_at: datetime | None = None
    token: str | None = None
    device_proof: str | None = None

    def __repr__(self) -> str:
        return f"Session({self.id})"


class EndedSessions(Struct, frozen=True, kw_only=True):
    """The sessions that have just ended."""

    data: list[Session]


class Verification(Struct, frozen=True, kw_only=True):
    """One attempt to prove who a person is; `pending`: the outside has not answered."""

    id: str
    created_at: datetime
    person: str
    method: str
    kind: str
    status: str
    tier: int
    reason: str | None = None
    checks: list[str] = []
    answered_at: datetime | None = None


class Stopped(Struct, frozen=True, kw_only=True):
    """Everything of a person with a lost phone has stopped."""

    status: str


class Message(Struct, frozen=True, kw_only=True):
    """A text message that a test book kept instead of sending it; one for the purpose `notice` holds no code."""

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

    def list(self, *, external_id: str) -> Listing[Person]:
        """The person whom the operator calls so: a list of one, or of nobody."""
        return self._list(Person, "/v1/people", {"external_id": external_id})

    async def erase(self, id_: str, *, reason: str) -> Person:
        """Destroy all that is known of a frozen person who owes and owns nothing."""
        return await self._delete(Person, f"/v1/people/{at(id_)}", {"reason": reason})

    async def verify(
        self,
        id_: str,
        *,
        name: str | None = None,
        document: str | None = None,
        kind: str = "resident_id",
        evidence: str | None = None,
        tier: int | None = None,
        reason: str | None = None,
    ) -> Verification:
        """Have a person's document checked outside; for staff, who give tier and reason: say that they have seen it."""
        body = given(name=name, document=document, kind=kind, evidence=evidence, tier=tier, reason=reason)
        return await self._post(Verification, f"/v1/people/{at(id_)}/verifications", body)

    def verifications(self, id_: str) -> Listing[Verification]:
        """How a person was checked, the latest first."""
        return self._list(Verification, f"/v1/people/{at(id_)}/verifications")

    async def send_phone_code(self, id_: str, *, phone: str) -> SentCode:
        """Send a code to the number that a person wants to change to."""
        return await self._post(SentCode, f"/v1/people/{at(id_)}/phone_codes", {"phone": phone})

    async def change_phone(
        self,
        id_: str,
        *,
        phone: str,
        code: str,
        old_code: str | None = None,
        pin: str | None = None,
        document: str | None = None,
        reason: str | None = None,
    ) -> Person:
        """Change the number: by its own code, and the old one's code or the PIN; staff give the document they saw."""
        body = given(phone=phone, code=code, old_code=old_code, pin=pin, document=document, reason=reason)
        return await self._post(Person, f"/v1/people/{at(id_)}/phone", body)

    async def freeze_by_phone(
        self, *, phone: str, code: str, pin: str | None = None, document: str | None = None
    ) -> Stopped:
        """Stop everything of the person with that number, without a session: by a code for the purpose `freeze`, and
        the PIN or the document.
        """
        body = given(phone=phone, code=code, pin=pin, document=document)
        return await self._post(Stopped, "/v1/people/freeze", body)

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

    async def create(
        self, *, phone: str, code: str, device: str | None = None, device_proof: str | None = None
    ) -> Session:
        """Sign in with a one-time code."""
        body = given(phone=phone, code=code, device=device, device_proof=device_proof)
        return await self._post(Session, "/v1/sessions", body)

    async def challenge(self) -> Challenge:
        """What a passkey signs in order to sign in, or to step a session up."""
        return await self._post(Challenge, "/v1/sessions/challenges", {})

    async def create_by_passkey(
        self, *, passkey: str, device: str | None = None, device_proof: str | None = None
    ) -> Session:
        """Sign in with a passkey's answer, as JSON, to a challenge. The caller has no credential."""
        body = given(passkey=passkey, device=device, device_proof=device_proof)
        return await self._post(Session, "/v1/sessions", body)

    async def step_up(self, *, pin: str | None = None, passkey: str | None = None) -> Session:
        """Prove the PIN, or a passkey, inside a live session: the session stepped up, with a new token."""
        return await self._post(Session, "/v1/sessions", given(pin=pin, passkey=passkey))

    def list(self, *, limit: int | None = None) -> Listing[Session]:
        """Where the caller is signed in, the latest first."""
        return self._list(Session, "/v1/sessions", given(limit=limit))

    async def end(self, id_: str) -> Session:
        """Sign a device of the caller's out."""
        return await self._delete(Session, f"/v1/sessions/{at(id_)}")

    async def end_others(self) -> EndedSessions:
        """Sign the caller out everywhere but here."""
        return await self._delete(EndedSessions, "/v1/sessions")


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
