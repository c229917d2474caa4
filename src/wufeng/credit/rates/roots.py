"""Where the present value of flows is zero, for flows at any times: in fixed point, to more digits than are asked for.

Discount factors are integers in 2**-128. No float is used.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise

Value = Callable[[int], tuple[int, int]]
"""The value of flows at a discount factor, in 2**-128 minor units, and its derivative by the factor."""

BITS = 128
ONE = 1 << BITS
_NEAR = 1 << 60  # Newton doubles the digits: what is left after a step of 2**-68 is below the last bit
_MOST_TURNS = 64  # of Newton's method, before the bracket is halved instead
_KEPT = 48  # binary digits of the answer that a half is told by: an exact half is one there


def discount_at_zero(value: Value, lowest: int) -> int:
    """The discount factor between `lowest` (the value is not above 0) and 1 (it is) at which the value is 0.

    Newton's method inside a bracket: of a plain loan it comes down from 1 without ever leaving it.
    """
    low, high, at = lowest, ONE, ONE
    for turn in range(_MOST_TURNS + BITS):
        worth, slope = value(at)
        low, high = (low, at) if worth > 0 else (at, high)
        following = at - (worth << BITS) // slope if slope > 0 else low
        if turn >= _MOST_TURNS or not low <= following <= high:
            following = (low + high) >> 1
        if abs(following - at) < _NEAR:
            return following
        at = following
    return at


def flows_worth(amounts: Sequence[int], times: Sequence[int], discount: int) -> tuple[int, int]:
    """Σ amount·discount^time and its derivative, by Horner from the last to the first; times rise from 0 on."""
    powers: dict[int, int] = {}
    worth = slope = 0  # slope: by the logarithm of the factor
    for amount, gap in zip(
        reversed(amounts), reversed([b - a for a, b in pairwise((0, *times))]), strict=True
    ):
        worth += amount << BITS
        if gap:
            if gap not in powers:
                powers[gap] = power(discount, gap)
            by = powers[gap]
            worth = worth * by >> BITS
            slope = (slope * by >> BITS) + gap * worth
    return worth, (slope << BITS) // discount


def power(discount: int, exponent: int) -> int:
    """A discount factor to a power >= 1."""
    answer = None
    while True:
        if exponent & 1:
            answer = discount if answer is None else answer * discount >> BITS
        exponent >>= 1
        if not exponent:
            assert answer is not None, "the exponent was at least 1"
            return answer
        discount = discount * discount >> BITS


def rounded(number: int) -> int:
    """A number in 2**-128 as a whole one, half-even."""
    short = (number + (1 << BITS - _KEPT - 1)) >> BITS - _KEPT
    whole, rest = short >> _KEPT, short & (1 << _KEPT) - 1
    half = 1 << _KEPT - 1
    return whole + (rest > half or (rest == half and whole & 1))
