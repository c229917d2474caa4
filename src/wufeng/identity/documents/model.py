"""What is kept about proofs of who a person is."""

from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from msgspec import Struct

from wufeng.identity.people.model import Tier
from wufeng.identity.vault import Private


class DocumentKind(StrEnum):
    """What a person shows."""

    RESIDENT_ID = "resident_id"  # 18 digits of GB 11643, also those of permits with the same number
    PASSPORT = "passport"


class Method(StrEnum):
    """How it was checked."""

    OUTSIDE = "outside"  # by others who know the person, each a check
    FACE_TO_FACE = "face_to_face"  # by staff, the person before them


class OutsideCheck(StrEnum):
    """Who outside has confirmed a person. Each counts once."""

    PHONE = "phone"  # whoever asks holds the phone: every person has passed it
    IDENTITY_REGISTER = "identity_register"  # name and number belong together
    PHONE_REGISTER = "phone_register"  # the phone is registered to them
    BANK_CARD = "bank_card"
    SOCIAL_INSURANCE = "social_insurance"
    CREDIT_REGISTER = "credit_register"


class VerificationStatus(StrEnum):
    """Where an attempt stands."""

    PENDING = "pending"  # -> passed, refused   the outside has not answered
    PASSED = "passed"  # end
    REFUSED = "refused"  # end


class Refusal(StrEnum):
    """Why an attempt was refused."""

    NOT_CONFIRMED = "not_confirmed"  # fewer checks than tier II asks for
    DOCUMENT_TAKEN = "document_taken"  # it is another person's in this book; whose is never told
    OTHER_DOCUMENT = "other_document"  # the person has proved another one before
    NO_ANSWER = "no_answer"  # the outside was asked often enough


class Claimed(Struct, frozen=True):
    """Who somebody says they are, checked for its form. `evidence`: the operator's own reference, such as a scan's."""

    kind: DocumentKind
    name: Private
    document: Private
    evidence: Private | None = None


class Asked(Struct, frozen=True):
    """What a verifier is asked about, in clear: it is to be sent on and kept nowhere."""

    person_id: UUID
    phone: Private
    claimed: Claimed


class Verification(Struct, frozen=True, kw_only=True):
    """One attempt, without what is claimed."""

    id: UUID
    person_id: UUID
    method: Method
    kind: DocumentKind
    status: VerificationStatus
    reason: Refusal | None
    checks: tuple[OutsideCheck, ...]
    tier: Tier
    created_at: datetime
    answered_at: datetime | None


class VerificationView(Struct, frozen=True, kw_only=True):
    """One attempt as the API shows it.

    checks  outside checks that it passed
    tier    the person's once it was answered
    """

    id: str
    object: Literal["verification"] = "verification"
    person: str
    method: Method
    kind: DocumentKind
    status: VerificationStatus
    reason: Refusal | None
    checks: list[OutsideCheck]
    tier: int
    created_at: datetime
    answered_at: datetime | None
