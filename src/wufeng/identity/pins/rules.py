"""Which PINs are refused: those that everybody tries first."""

import re

from wufeng.base.errors import invalid_field
from wufeng.identity.vault import Private

_PIN = re.compile(r"[0-9]{6}", re.ASCII)
_UP = "01234567890123456789"
_DOWN = _UP[::-1]
_COMMON = (
    "520131 131420 147258 258369 159753 159357 147369 789456 456789 123789 147852 963852 741852 456123 "
    "112358 314159 100200 102030 010203 110110 119119 110119 520520 521521 666888 888666 168168 518518"
)
"""Often chosen in published leaks: keypad figures, and numbers that sound like something in Chinese."""


def check_pin_strength(pin: Private, phone: str, pointer: str = "/pin") -> None:
    """Refuse (invalid_field) a PIN that is not six digits or is guessed first; the PIN is not repeated.

    phone  the person's own, normalised: its last six digits are no secret
    """
    if not _PIN.fullmatch(pin.text):
        raise invalid_field(pointer, "A PIN has six digits.")
    if is_weak(pin.text, phone):
        raise invalid_field(pointer, "This PIN is guessed too easily; choose one without a pattern.")


def is_weak(digits: str, phone: str) -> bool:
    """Whether six digits are guessed first: runs, repeats, at most two different digits, well-known ones."""
    return (
        len(set(digits)) <= 2
        or digits in _UP
        or digits in _DOWN
        or digits[:3] == digits[3:]
        or digits[:2] == digits[2:4] == digits[4:]
        or digits[:3] == digits[:2:-1]
        or _is_pairs(digits)
        or digits in _COMMON
        or phone.endswith(digits)
    )


def _is_pairs(digits: str) -> bool:
    """112233, 445566, 998877: three pairs in steps of one."""
    if any(digits[n] != digits[n + 1] for n in (0, 2, 4)):
        return False
    return digits[::2] in _UP or digits[::2] in _DOWN
