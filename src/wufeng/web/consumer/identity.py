"""Who one is: the account's tier and what it allows, having a document checked, another phone number, a lost phone."""

from typing import Any

from msgspec import Struct

from wufeng.base.errors import Code
from wufeng.base.ids import Prefix, encode
from wufeng.client import ApiProblem
from wufeng.compliance import shipped_limit_policy
from wufeng.identity.documents.model import VerificationStatus
from wufeng.identity.documents.queries import list_verifications
from wufeng.identity.documents.rules import CHECKS_FOR
from wufeng.identity.people.model import Tier
from wufeng.identity.people.queries import get_person
from wufeng.identity.pins.queries import has_pin
from wufeng.payments.wallets import shipped_wallet_policy
from wufeng.web.consumer.sign_in import own_phone, shown_code
from wufeng.web.paging import Door, Reply, Visit, pages_of

ATTEMPTS_SHOWN = 5


class Allowed(Struct, frozen=True):
    """What an account of a tier may do. A sum since the opening, or in a year; None: no such bound."""

    tier: int
    checks: int
    opening_minor: int | None
    year_minor: int | None
    balance_minor: int


async def identity(visit: Visit) -> Reply:
    """The tier, what each allows, and the way up."""
    return await _show_identity(visit)


async def verify(visit: Visit) -> Reply:
    """Have a document checked."""
    person_id = encode(Prefix.PERSON, visit.caller.id)
    try:
        await visit.api.people.verify(
            person_id, name=visit.field("name"), document=visit.field("document"), kind=_kind(visit)
        )
    except ApiProblem as problem:
        if problem.code not in (Code.INVALID_FIELD, Code.STATE_CONFLICT, Code.RATE_LIMITED):
            raise
        field = next((error.pointer.lstrip("/") for error in problem.errors), "")
        return await _show_identity(visit, problem.status, field or str(problem.code))
    return visit.go("/app/identity#attempts")


async def ask_number(visit: Visit) -> Reply:
    """Another number: which?"""
    return visit.show("consumer/phone.html", sent=False, phone=visit.field("phone"), error="")


async def send_codes(visit: Visit) -> Reply:
    """Send a code to the new number, and without a PIN one to the old number too."""
    phone = _with_country(visit.field("phone"))
    try:
        await visit.api.people.send_phone_code(encode(Prefix.PERSON, visit.caller.id), phone=phone)
        if not await _has_pin(visit):
            await visit.api.sessions.send_code(phone=await own_phone(visit), purpose="phone")
    except ApiProblem as problem:
        if problem.code not in (Code.INVALID_FIELD, Code.RATE_LIMITED):
            raise
        error = "many" if problem.code is Code.RATE_LIMITED else "phone"
        return visit.show(
            "consumer/phone.html", status=problem.status, sent=False, phone=visit.field("phone"), error=error
        )
    return await _ask_codes(visit, phone)


async def change_number(visit: Visit) -> Reply:
    """Change the number; the person stays signed in here and nowhere else."""
    phone = visit.field("phone")
    proof = {"pin": visit.field("pin")} if await _has_pin(visit) else {"old_code": visit.field("old_code")}
    try:
        await visit.api.people.change_phone(
            encode(Prefix.PERSON, visit.caller.id), phone=phone, code=visit.field("code"), **proof
        )
    except ApiProblem as problem:
        known = (Code.CONFIRMATION_FAILED, Code.INVALID_FIELD, Code.STATE_CONFLICT, Code.RATE_LIMITED)
        if problem.code not in known:
            raise
        return await _ask_codes(visit, phone, str(problem.code), problem.status)
    return visit.go("/app/identity?changed=1")


async def lost(visit: Visit) -> Reply:
    """A lost phone: what happens, and which number it had."""
    return visit.show("consumer/lost.html", step="phone", phone=visit.field("phone"), error="")


async def send_lost_code(visit: Visit) -> Reply:
    """Send the code that stops everything. Whether the number is known is not told."""
    phone = _with_country(visit.field("phone"))
    try:
        await visit.api.as_caller(None).sessions.send_code(phone=phone, purpose="freeze")
    except ApiProblem as problem:
        if problem.code not in (Code.INVALID_FIELD, Code.RATE_LIMITED):
            raise
        error = "many" if problem.code is Code.RATE_LIMITED else "phone"
        return visit.show(
            "consumer/lost.html",
            status=problem.status,
            step="phone",
            phone=visit.field("phone"),
            error=error,
        )
    return await _ask_proof(visit, phone)


async def stop_everything(visit: Visit) -> Reply:
    """Freeze the person whose number it is."""
    phone, pin, document = visit.field("phone"), visit.field("pin"), visit.field("document")
    if bool(pin) == bool(document):
        return await _ask_proof(visit, phone, "one", 422)
    proof = {"pin": pin} if pin else {"document": document}
    try:
        await visit.api.as_caller(None).people.freeze_by_phone(phone=phone, code=visit.field("code"), **proof)
    except ApiProblem as problem:
        if problem.code not in (Code.CONFIRMATION_FAILED, Code.INVALID_FIELD, Code.RATE_LIMITED):
            raise
        error = "many" if problem.code is Code.RATE_LIMITED else "wrong"
        return await _ask_proof(visit, phone, error, problem.status)
    visit.drop_cookie(Door.CONSUMER.cookie)
    return visit.show("consumer/lost.html", step="done", phone=phone, error="")


async def _show_identity(visit: Visit, status: int = 200, error: str = "") -> Reply:
    book = visit.book
    async with visit.services.database.read() as db:
        person = await get_person(db, visit.services.vault, book, visit.caller.id)
        attempts = await list_verifications(db, book, visit.caller.id, None, ATTEMPTS_SHOWN)
    waits = any(one.status is VerificationStatus.PENDING for one in attempts)
    cooling = person.cooling_until is not None and visit.at < person.cooling_until
    return visit.show(
        "consumer/identity.html",
        status=status,
        person=person,
        tier=person.tier.value,
        tiers=[_allowed(tier) for tier in Tier],
        attempts=attempts,
        waits=waits,
        may_ask=not waits and book.mode in visit.services.verifiers,
        cooling=cooling,
        low=shipped_limit_policy().cooling,
        changed=visit.field("changed") == "1",
        name=visit.field("name"),
        kind=_kind(visit),
        error=error,
    )


def _allowed(tier: Tier) -> Allowed:
    bounds = shipped_limit_policy().tiers[tier.value]
    return Allowed(
        tier.value,
        CHECKS_FOR[tier],
        bounds.since_opening_max_minor,
        bounds.year_max_minor,
        shipped_wallet_policy().tiers[tier.value].balance_max_minor,
    )


async def _ask_codes(visit: Visit, phone: str, error: str = "", status: int = 200) -> Reply:
    pin_set = await _has_pin(visit)
    old = None if pin_set else await shown_code(visit, await own_phone(visit), "phone")
    return visit.show(
        "consumer/phone.html",
        status=status,
        sent=True,
        phone=phone,
        pin_set=pin_set,
        test_code=await shown_code(visit, phone, "phone"),
        old_test_code=old,
        error=error,
    )


async def _ask_proof(visit: Visit, phone: str, error: str = "", status: int = 200) -> Reply:
    shown: dict[str, Any] = {"test_code": await shown_code(visit, phone, "freeze")}
    return visit.show("consumer/lost.html", status=status, step="proof", phone=phone, error=error, **shown)


async def _has_pin(visit: Visit) -> bool:
    async with visit.services.database.read() as db:
        return await has_pin(db, visit.book, visit.caller.id)


def _kind(visit: Visit) -> str:
    return "passport" if visit.field("kind") == "passport" else "resident_id"


def _with_country(phone: str) -> str:
    """A Chinese mobile number is mostly typed without its country."""
    digits = phone.replace(" ", "").replace("-", "")
    return f"+86{digits}" if len(digits) == 11 and digits.startswith("1") and digits.isdigit() else digits


page = pages_of(Door.CONSUMER)

PAGES = (
    page("GET", "/app/identity", "app_identity", identity),
    page("POST", "/app/identity", "app_identity_send", verify),
    page("GET", "/app/phone", "app_phone", ask_number),
    page("POST", "/app/phone/codes", "app_phone_codes", send_codes),
    page("POST", "/app/phone", "app_phone_send", change_number),
    page("GET", "/app/lost", "app_lost", lost),
    page("POST", "/app/lost/code", "app_lost_code", send_lost_code),
    page("POST", "/app/lost", "app_lost_send", stop_everything),
)
