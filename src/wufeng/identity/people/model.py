"""What is kept about people."""

from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Literal
from uuid import UUID

from msgspec import Struct

from wufeng.base.books import Mode


class PersonStatus(StrEnum):
    """Where a person stands."""

    ACTIVE = "active"  # -> frozen, erased
    FROZEN = "frozen"  # -> active, erased   everything stops: a lost phone, a suspicion
    ERASED = "erased"  # end                 the key is destroyed; the ledger keeps the id alone


class Tier(IntEnum):
    """Account tiers of payment accounts: how well a person is known, hence how much may move.

    Source: PBOC order 43 of 2015, article 11 (class I, II, III).
    """

    I = 1  # noqa: E741  the law's own numbering
    II = 2
    III = 3


class Outcome(StrEnum):
    """What is known beforehand about a test person. In live books it is always `none`."""

    NONE = "none"
    ALWAYS_DECLINED = "always_declined"  # every payment is declined
    STEP_UP = "step_up"  # every payment asks for a confirmation with the PIN
    REVIEW = "review"  # every payment goes to a reviewer
    LATE_PAYER = "late_payer"  # repays nothing before bills are overdue (simulated life only)
    VERIFICATION_REFUSED = "verification_refused"  # nobody outside confirms who they are
    NEEDS_PASSKEY = "needs_passkey"  # every payment asks for a passkey
    COOLING = "cooling"  # low limits hold from the start, as after a takeover
    TAKEOVER = "takeover"  # a changed number always looks like a takeover
    DOCUMENT_TAKEN = "document_taken"  # their document is always another's


class PersonGuard(Struct, frozen=True):
    """A locked person: what every command that moves money needs to know.

    cooling_until  until when low limits hold, after phone and number have changed
    """

    id: UUID
    status: PersonStatus
    tier: Tier
    outcome: Outcome
    wallet_id: UUID
    cooling_until: datetime | None = None


class Person(Struct, frozen=True, kw_only=True):
    """A person as others may see them: phone and name masked. After erasure only the id is left."""

    id: UUID
    wallet_id: UUID
    status: PersonStatus
    tier: Tier
    outcome: Outcome
    external_id: str | None
    phone_masked: str | None
    name_masked: str | None
    created_at: datetime
    cooling_until: datetime | None = None


class PersonView(Struct, frozen=True, kw_only=True):
    """A person as the API shows them.

    cooling_ends_at  until when low limits hold, after phone and number have changed or a freeze has ended
    """

    id: str
    object: Literal["person"] = "person"
    mode: Mode
    status: PersonStatus
    tier: int
    wallet: str
    external_id: str | None
    phone: str | None
    name: str | None
    test_outcome: Outcome | None
    cooling_ends_at: datetime | None
    created_at: datetime
