"""What is decided about people: how a phone is written, what is shown of it, who owns a name."""

import re
from datetime import date, datetime, timedelta
from uuid import UUID

from msgspec import Struct

from wufeng.base.books import Mode
from wufeng.base.errors import Code, Problem, invalid_field
from wufeng.base.ids import Prefix, encode
from wufeng.identity.people.model import Outcome, Person, PersonView, Tier

_SEPARATORS = re.compile(r"[\s().\-\u2010-\u2015]+")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
_CHINA_MOBILE = re.compile(r"1[3-9][0-9]{9}", re.ASCII)
_RESIDENT = re.compile(r"[1-9][0-9]{16}[0-9Xx]", re.ASCII)

_TEST_PHONE = re.compile(r"\+861380000([0-9])[0-9]{3}", re.ASCII)
TEST_OUTCOMES = {
    "1": Outcome.ALWAYS_DECLINED,
    "2": Outcome.STEP_UP,
    "3": Outcome.REVIEW,
    "4": Outcome.LATE_PAYER,
    "5": Outcome.VERIFICATION_REFUSED,
    "6": Outcome.NEEDS_PASSKEY,
    "7": Outcome.COOLING,
    "8": Outcome.TAKEOVER,
    "9": Outcome.DOCUMENT_TAKEN,
}
"""In test books, by the thousands of +86 138 0000 xxxx; docs/api.md tells each."""


def normalise_phone(text: str, pointer: str = "/phone") -> str:
    """Write a phone as E.164 does: "138 0013 8000" -> "+8613800138000".

    Eleven digits that begin like a mobile number are Chinese; everything else needs its country code ("+" or
    "00"). Refuses other texts with invalid_field; the text itself is not repeated.
    """
    compact = _SEPARATORS.sub("", text)
    if _CHINA_MOBILE.fullmatch(compact):
        return f"+86{compact}"
    if compact.startswith("00"):
        compact = f"+{compact[2:]}"
    if not _E164.fullmatch(compact):
        raise invalid_field(
            pointer, "A phone number has 7 to 15 digits after its country code, such as +8613800138000."
        )
    if compact.startswith("+86") and not _CHINA_MOBILE.fullmatch(compact[3:]):
        raise invalid_field(pointer, "A Chinese mobile number has 11 digits and begins with 13 to 19.")
    return compact


def mask_phone(phone: str) -> str:
    """What is shown of a normalised phone: "+8613800138000" -> "138****8000", "+442071838750" -> "+44****8750"."""
    if phone.startswith("+86"):
        return f"{phone[3:6]}****{phone[-4:]}"
    return f"{phone[:3]}****{phone[-4:]}" if len(phone) >= 10 else f"{phone[:2]}****{phone[-2:]}"


def mask_name(name: str) -> str:
    """What is shown of a name: its first letter. "张小明" -> "张**"."""
    return name[:1] + "*" * min(len(name) - 1, 3) if len(name) > 1 else "*"


def normalise_document(text: str) -> str:
    """A document number without spaces and with capital letters."""
    return re.sub(r"[\s\u00b7-]", "", text).upper()


def outcome_of(mode: Mode, phone: str) -> Outcome:
    """What is known beforehand about a test person, by the phone alone; in a live book nothing."""
    match = _TEST_PHONE.fullmatch(phone) if mode is Mode.TEST else None
    return TEST_OUTCOMES.get(match[1], Outcome.NONE) if match else Outcome.NONE


def birth_date_of(document: str) -> date | None:
    """The birth date in a resident identity number (GB 11643-1999: digits 7 to 14); None for any other document."""
    if not _RESIDENT.fullmatch(document):
        return None
    try:
        return date(int(document[6:10]), int(document[10:12]), int(document[12:14]))
    except ValueError:
        return None


def tier_of(name: str | None, document: str | None) -> Tier:
    """The tier at birth: an operator that gives name and document has checked them; a phone alone is tier I."""
    return Tier.II if name and document else Tier.I


def looks_taken_over(
    outcome: Outcome, device_made_at: datetime | None, at: datetime, within: timedelta, *, by_staff: bool
) -> bool:
    """Whether a changed number looks like a takeover: asked for on a new device, or by staff for somebody.

    device_made_at  when the device that asks was first signed in on; None: it is not known, and counts as new
    """
    is_new = device_made_at is None or at < device_made_at + within
    return outcome is Outcome.TAKEOVER or by_staff or is_new


class Created(Struct, frozen=True):
    """A new person; the names are theirs."""


class Existing(Struct, frozen=True):
    """The person is there already: the same request again, or a sign-up of a known phone."""

    person_id: UUID


def decide_creation(
    phone_owner: UUID | None,
    external_owner: UUID | None,
    document_owner: UUID | None = None,
    *,
    has_external_id: bool,
) -> Created | Existing | Problem:
    """Decide whether a person may be made, by who owns the phone, the external id and the document (None: nobody).

    Without an external id the phone alone names the person (a sign-up). With one, both must agree. A document is one
    person's; whose is not told.
    """
    if phone_owner is None and external_owner is None and document_owner is not None:
        return Problem(Code.STATE_CONFLICT, "document belongs to another person.")
    if phone_owner is None and external_owner is None:
        return Created()
    if phone_owner is not None and (external_owner == phone_owner or not has_external_id):
        return Existing(phone_owner)
    if external_owner is not None:
        return Problem(Code.STATE_CONFLICT, "external_id belongs to a person with another phone.")
    return Problem(Code.STATE_CONFLICT, "phone belongs to another person.")


def view_of(person: Person, mode: Mode) -> PersonView:
    """A person as the API shows them."""
    return PersonView(
        id=encode(Prefix.PERSON, person.id),
        mode=mode,
        status=person.status,
        tier=person.tier.value,
        wallet=encode(Prefix.WALLET, person.wallet_id),
        external_id=person.external_id,
        phone=person.phone_masked,
        name=person.name_masked,
        test_outcome=person.outcome if mode is Mode.TEST else None,
        cooling_ends_at=person.cooling_until,
        created_at=person.created_at,
    )
