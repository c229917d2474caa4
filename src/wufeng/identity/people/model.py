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


class PersonGuard(Struct, frozen=True):
    """A locked person: what every command that moves money needs to know."""

    id: UUID
    status: PersonStatus
    tier: Tier
    outcome: Outcome
    wallet_id: UUID


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


class PersonView(Struct, frozen=True, kw_only=True):
    """A person as the API shows them."""

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
    created_at: datetime
