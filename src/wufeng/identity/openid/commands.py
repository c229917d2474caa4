"""What can be asked of sign-ins by a provider: begin one, finish one, forget those that are long past."""

import secrets
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from wufeng.base.books import Book
from wufeng.base.clock import Clock
from wufeng.base.database import Connection
from wufeng.base.errors import Code, Problem
from wufeng.base.ids import IdMaker
from wufeng.base.lanes import Lanes
from wufeng.identity.openid import rules, store
from wufeng.identity.openid.model import LASTS, Back, Browser, Identity, Refused, SignIn
from wufeng.identity.openid.provider import NotSignedIn, Provider
from wufeng.identity.people import store as people
from wufeng.identity.people.commands import Registration, register
from wufeng.identity.sessions.commands import open_session
from wufeng.identity.sessions.model import Opened
from wufeng.identity.vault import Private, Unreadable, Vault

RETURNS_KEPT = timedelta(days=1)


async def begin_sign_in(
    provider: Provider, vault: Vault, ids: IdMaker, book: Book, onward: str, clock: Clock
) -> tuple[str, bytes]:
    """Where the browser goes, and what it keeps meanwhile, sealed. Raises NotSignedIn when the provider is silent."""
    metadata = await provider.metadata()
    now = clock.now()
    sign_in = SignIn(
        id=ids.new_anywhere(now),
        book_id=book.id,
        state=secrets.token_urlsafe(32),
        nonce=secrets.token_urlsafe(32),
        verifier=secrets.token_urlsafe(48),
        onward=onward,
        expires_at=now + LASTS,
    )
    url = rules.authorization_url(provider.setting, metadata, sign_in)
    return url, vault.seal_sign_in(msgspec.msgpack.encode(sign_in))


def read_sign_in(vault: Vault, sealed: bytes) -> SignIn | None:
    """What a browser has kept; None for what this installation has not sealed."""
    try:
        return msgspec.msgpack.decode(vault.open_sign_in(sealed), type=SignIn)
    except (Unreadable, msgspec.MsgspecError):
        return None


async def finish_sign_in(
    lanes: Lanes,
    vault: Vault,
    provider: Provider,
    book: Book,
    sign_in: SignIn | None,
    back: Back,
    clock: Clock,
    browser: Browser,
) -> Opened:
    """Open a session for whom the provider vouches, if what came back belongs to the sign-in of this browser.

    Raises NotSignedIn, and the problem of a person who is frozen (forbidden).
    """
    identity = await _identify(lanes, provider, book, sign_in, back, clock)
    at = book.at(clock)
    person_id = await _person_of(lanes, vault, provider, book, identity, at)
    async with lanes.database.transaction() as db:
        proof = Private(browser.proof) if browser.proof is not None else None
        return await open_session(db, lanes.ids, book, person_id, browser.name, at, proof)


async def forget_returns(db: Connection, bucket: int, now: datetime, at_most: int) -> int:
    """Forget sign-ins that came back a day ago, which are too late by now; returns how many."""
    return await store.delete_returns(db, bucket, now - RETURNS_KEPT, at_most)


async def _identify(
    lanes: Lanes, provider: Provider, book: Book, sign_in: SignIn | None, back: Back, clock: Clock
) -> Identity:
    _refuse(rules.refuse_back(sign_in, back, provider.setting, clock.now()))
    assert sign_in is not None, "refused before"
    async with lanes.database.transaction() as db:
        if not await store.insert_return(db, book.bucket_of(sign_in.id), sign_in.id, clock.now()):
            raise NotSignedIn(Refused.CAME_TWICE)
    _refuse(rules.refuse_silent_issuer(await provider.metadata(), back))
    claims = await provider.claims(await provider.redeem(back.code, sign_in.verifier))
    _refuse(rules.refuse_claims(provider.setting, claims, sign_in.nonce, clock.now()))
    identity = rules.identity_of(provider.setting, claims)
    if identity is None:
        raise NotSignedIn(Refused.BAD_CLAIMS)
    return identity


async def _person_of(
    lanes: Lanes, vault: Vault, provider: Provider, book: Book, identity: Identity, at: datetime
) -> UUID:
    """The operator's person by their external_id; made now, where the operator allows it.

    A phone that is somebody's already is never taken for them: whoever has the provider's account would get theirs.
    """
    external_id = Private(identity.external_id)
    async with lanes.database.read() as db:
        found = await people.find_owner(db, people.name_of(vault, book, people.EXTERNAL_ID, external_id))
    if found is not None:
        return found
    if not provider.setting.sign_up:
        raise NotSignedIn(Refused.UNKNOWN_PERSON)
    if identity.phone is None:
        raise NotSignedIn(Refused.NO_PHONE)
    registration = Registration(phone=Private(identity.phone), external_id=external_id)
    try:
        answer = await register(lanes, vault, book, registration, at)
    except Problem as problem:
        if problem.code not in (Code.INVALID_FIELD, Code.STATE_CONFLICT):
            raise
        raise NotSignedIn(Refused.UNKNOWN_PERSON) from None
    assert answer.object_id is not None, "a registration names its person"
    return answer.object_id


def _refuse(refused: Refused | None) -> None:
    if refused is not None:
        raise NotSignedIn(refused)
