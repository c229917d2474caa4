"""What is decided about bank accounts."""

import re

from wufeng.base.errors import invalid_field
from wufeng.base.ids import Prefix, encode
from wufeng.identity.bank_accounts.model import BankAccount, BankAccountView
from wufeng.identity.vault import Private

_NUMBER = re.compile(r"[0-9]{10,20}", re.ASCII)
_BANK = re.compile(r"[A-Z0-9]{2,16}", re.ASCII)


def normalise_number(text: str) -> Private:
    """The digits of an account or debit card number, 10 to 20 of them; spaces and hyphens do not count."""
    digits = re.sub(r"[\s-]", "", text)
    if not _NUMBER.fullmatch(digits):
        raise invalid_field("/number", "A bank account number has 10 to 20 digits.")
    return Private(digits)


def check_bank(text: str) -> str:
    """The short code of a bank, such as ICBC or CMB (invalid_field)."""
    code = text.strip().upper()
    if not _BANK.fullmatch(code):
        raise invalid_field("/bank", "A bank is named by its short code, such as ICBC or CMB.")
    return code


def mask_number(digits: str) -> str:
    """What is shown of a number: its last four digits."""
    return f"**** {digits[-4:]}"


def view_of(account: BankAccount) -> BankAccountView:
    """A bank account as the API shows it."""
    return BankAccountView(
        id=encode(Prefix.BANK_ACCOUNT, account.id),
        person=encode(Prefix.PERSON, account.person_id),
        bank=account.bank,
        number=account.number_masked,
        status=account.status,
        created_at=account.created_at,
    )
