"""Who lives at the test provider, and what it gives out."""

from msgspec import Struct


class Account(Struct, frozen=True):
    """Somebody who can sign in there, by a click."""

    sub: str
    name: str
    phone: str
    phone_verified: bool = True


ACCOUNTS = {
    account.sub: account
    for account in (
        Account("op-1001", "林小满", "+8613800138001"),
        Account("op-1002", "Ada Green", "+8613800138002"),
        Account("op-1003", "周未验", "+8613800138003", phone_verified=False),
    )
}
"""The third one's phone has not been verified by the provider: nobody may be made from it."""


class Grant(Struct, frozen=True):
    """What a code stands for, once."""

    account: Account
    client_id: str
    redirect_uri: str
    nonce: str | None
    challenge: str
    expires_at_s: float
