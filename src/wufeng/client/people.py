"""People, how they prove themselves, their bank accounts; merchants; staff."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

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
    """A code was sent, if the phone can have one."""

    expires_at: datetime | None = None


class Session(Struct, frozen=True, kw_only=True):
    """A signed-in device. `token` is the credential of the calls that follow."""

    id: str
    token: str
    expires_at: datetime
    auth_level: str | None = None
    person: str | None = None
    staff: str | None = None
    role: str | None = None


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


class Merchant(Struct, frozen=True, kw_only=True):
    """Who sells. `api_key` is there only when it was just made."""

    id: str
    created_at: datetime
    name: str
    scene: str
    status: str
    fee_plan: Mapping[str, Any] = {}
    api_key: str | None = None


class People(Resource):
    """People of the operator."""

    async def create(
        self,
        *,
        phone: str,
        external_id: str | None = None,
        name: str | None = None,
        document: str | None = None,
    ) -> Person:
        """Make a person. `external_id` is the operator's own name for them, once a book."""
        body = given(phone=phone, external_id=external_id, name=name, document=document)
        return await self._post(Person, "/v1/people", body)

    async def get(self, id_: str) -> Person:
        """One person."""
        return await self._get(Person, f"/v1/people/{at(id_)}")

    async def set_pin(
        self, id_: str, *, pin: str, old_pin: str | None = None, code: str | None = None
    ) -> Person:
        """Set the payment PIN, or change it with the old one or a one-time code."""
        return await self._post(
            Person, f"/v1/people/{at(id_)}/pin", given(pin=pin, old_pin=old_pin, code=code)
        )

    async def freeze(self, id_: str, *, reason: str | None = None) -> Person:
        """Stop everything of a person: a lost phone."""
        return await self._post(Person, f"/v1/people/{at(id_)}/freeze", given(reason=reason), Repeat.SAFE)


class Sessions(Resource):
    """Signing in."""

    async def send_code(self, *, phone: str, purpose: str | None = None) -> SentCode:
        """Send a one-time code to a phone."""
        return await self._post(SentCode, "/v1/sessions/codes", given(phone=phone, purpose=purpose))

    async def create(
        self,
        *,
        phone: str | None = None,
        code: str | None = None,
        pin: str | None = None,
        device: str | None = None,
    ) -> Session:
        """Sign in with a one-time code, or step up with the PIN."""
        return await self._post(
            Session, "/v1/sessions", given(phone=phone, code=code, pin=pin, device=device)
        )

    async def create_for_staff(self, *, name: str, password: str) -> Session:
        """Sign a member of staff in."""
        return await self._post(Session, "/v1/staff_sessions", {"name": name, "password": password})


class Messages(Resource):
    """What a test book's people were sent."""

    def list(self, *, phone: str) -> Listing[Message]:
        """The messages to a phone, the latest first."""
        return self._list(Message, "/v1/messages", {"phone": phone})


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


class Merchants(Resource):
    """Who sells."""

    async def create(self, *, name: str, scene: str, fee_plan: Mapping[str, int]) -> Merchant:
        """Make a merchant; the answer alone holds its first key."""
        return await self._post(
            Merchant, "/v1/merchants", {"name": name, "scene": scene, "fee_plan": dict(fee_plan)}
        )
