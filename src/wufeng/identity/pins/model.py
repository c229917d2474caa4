"""What is kept about payment PINs."""

from enum import StrEnum

from msgspec import Struct

from wufeng.identity.vault import Private

TRIES_MAX = 5


class PinVerdict(Struct, frozen=True):
    """Whether a PIN was right, and how many wrong ones are left before it is locked (0: locked, or never set)."""

    ok: bool
    tries_left: int


class ProofKind(StrEnum):
    """What allows a PIN to be set."""

    OLD_PIN = "old_pin"
    CODE = "code"


class PinProof(Struct, frozen=True):
    """What a person shows in order to set a PIN: the old one, or a one-time code sent for that purpose."""

    kind: ProofKind
    secret: Private
