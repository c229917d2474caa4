"""A lost phone: everything of a person stops, asked for without a session.

Whoever asks proves to hold the number (a one-time code, which a new card receives) and to be its person (the PIN, or
the document). Known and unknown numbers get the same answers after the same work.
"""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from wufeng.base.books import Book
from wufeng.base.database import Database
from wufeng.base.errors import Code, Problem
from wufeng.base.ids import IdMaker, Prefix
from wufeng.identity.audit.model import Act
from wufeng.identity.callers import CallerKind
from wufeng.identity.codes.commands import send_notice, verify_code
from wufeng.identity.codes.model import CodePurpose, Notice
from wufeng.identity.codes.sms import Sms
from wufeng.identity.people import store
from wufeng.identity.people.commands import freeze_person
from wufeng.identity.people.rules import normalise_document, normalise_phone
from wufeng.identity.pins.commands import check_pin, check_pin_of_nobody
from wufeng.identity.places import Place
from wufeng.identity.tries.commands import counters_of_address, give_back, take_tries
from wufeng.identity.tries.model import TryKind
from wufeng.identity.vault import Private, Vault

NO_SESSION = UUID(int=0)
"""Stands for the session in the audit of what was asked for without one."""


class Loss(Struct, frozen=True):
    """What somebody says who has lost their phone: the number, its code, and one of PIN and document."""

    phone: Private
    code: Private
    pin: Private | None
    document: Private | None


async def freeze_by_phone(
    database: Database,
    vault: Vault,
    sms: Sms | None,
    ids: IdMaker,
    book: Book,
    loss: Loss,
    at: datetime,
    place: Place,
    request_id: str,
) -> None:
    """Stop everything of the person whose number it is, and tell the number so.

    Refuses (raises) a wrong code and then a wrong proof (confirmation_failed); an unknown number is a wrong proof.
    """
    number = Private(normalise_phone(loss.phone.text))
    code = await verify_code(database, vault, book, number, CodePurpose.FREEZE, loss.code, at, place)
    if not code.ok:
        raise Problem(
            Code.CONFIRMATION_FAILED, "The code was not accepted.", extra={"tries_left": code.tries_left}
        )
    phone = store.Phone(number, store.name_of(vault, book, store.PHONE, number).id)
    async with database.read() as db:
        person_id = await store.find_owner(db, store.name_of(vault, book, store.PHONE, number))
    proved = await _proves(database, vault, book, person_id, loss, at, place)
    if person_id is None or not proved:
        raise Problem(Code.CONFIRMATION_FAILED, "The proof was not accepted.")
    act = Act(
        by_kind=CallerKind.PERSON,
        by_id=person_id,
        credential_id=NO_SESSION,
        operation="freeze_by_phone",
        object_prefix=Prefix.PERSON,
        object_id=person_id,
        reason="",
        at=at,
        request_id=request_id,
    )
    await freeze_person(database, book, ids, person_id, act)
    async with database.transaction() as db:
        await send_notice(db, sms, ids, book, phone, Notice.FROZEN, at)


async def _proves(
    database: Database,
    vault: Vault,
    book: Book,
    person_id: UUID | None,
    loss: Loss,
    at: datetime,
    place: Place,
) -> bool:
    """Whether PIN or document are the person's; for nobody the same work is done."""
    if loss.pin is not None:
        if person_id is None:
            return await check_pin_of_nobody(database, vault, book, loss.pin, at, place)
        return (await check_pin(database, vault, book, person_id, loss.pin, at, place)).ok
    assert loss.document is not None, "the border asks for one of the two"
    counters = counters_of_address(vault, book, place, TryKind.DOCUMENT_FROM_ADDRESS)
    tries = await take_tries(database, counters, at)
    document = Private(normalise_document(loss.document.text))
    async with database.read() as db:
        owner_id = await store.find_owner(db, store.name_of(vault, book, store.DOCUMENT, document))
    if owner_id is None or owner_id != person_id:
        return False
    await give_back(database, tries)
    return True
