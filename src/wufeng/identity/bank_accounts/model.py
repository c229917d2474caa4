"""What is kept about bank accounts."""

from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from msgspec import Struct

from wufeng.identity.vault import Private


class BankAccountStatus(StrEnum):
    """Where a bank account stands."""

    UNVERIFIED = "unverified"  # -> verified, refused, deleted   the bank has not answered yet
    VERIFIED = "verified"  # -> deleted   the bank says that it is this person's
    REFUSED = "refused"  # -> deleted
    DELETED = "deleted"  # end


class BankAccount(Struct, frozen=True, kw_only=True):
    """A bank account as others may see it: its number masked."""

    id: UUID
    person_id: UUID
    bank: str
    number_masked: str
    status: BankAccountStatus
    created_at: datetime


class BankInstruction(Struct, frozen=True, kw_only=True):
    """A bank account in clear, for the bank seam alone."""

    id: UUID
    person_id: UUID
    bank: str
    number: Private
    status: BankAccountStatus


class BankAccountView(Struct, frozen=True, kw_only=True):
    """A bank account as the API shows it."""

    id: str
    object: Literal["bank_account"] = "bank_account"
    person: str
    bank: str
    number: str
    status: BankAccountStatus
    created_at: datetime
