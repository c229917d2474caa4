"""What is decided at the bank seam: when to ask again, and how the test bank behaves. Pure."""

from datetime import timedelta
from enum import StrEnum

from wufeng.payments.bank.model import BankAnswer, Outcome

ENDS = frozenset({Outcome.DONE, Outcome.REFUSED})
"""Answers after which a bank is not asked again. All others leave the object pending, however long it takes."""


def pause(tries: int, first: timedelta, longest: timedelta) -> timedelta:
    """How long to wait before the next question after so many: it doubles up to the longest."""
    doublings = min(max(tries - 1, 0), 20)
    return min(first * (1 << doublings), longest)


class Behaviour(StrEnum):
    """How the test bank treats an account."""

    NORMAL = "normal"
    REFUSES = "refuses"
    SLOW = "slow"
    LATE = "late"
    TWICE = "twice"
    LOST_BUT_DONE = "lost_but_done"
    LOST_NOT_DONE = "lost_not_done"
    NEVER = "never"
    NO_SUCH_ACCOUNT = "no_such_account"


BEHAVIOURS = {
    "01": Behaviour.REFUSES,
    "02": Behaviour.SLOW,
    "03": Behaviour.LATE,
    "04": Behaviour.TWICE,
    "05": Behaviour.LOST_BUT_DONE,
    "06": Behaviour.LOST_NOT_DONE,
    "07": Behaviour.NEVER,
    "09": Behaviour.NO_SUCH_ACCOUNT,
}
"""By the last two digits of the account number; every other number is normal."""

REFUSALS = {"debit": "insufficient_funds", "credit": "account_closed"}
"""Why a refusing account refuses, by direction."""


def behaviour_of(number: str) -> Behaviour:
    """How the test bank treats an account number."""
    return BEHAVIOURS.get(number[-2:], Behaviour.NORMAL)


def first_answer(behaviour: Behaviour, decided: BankAnswer) -> BankAnswer:
    """What the test bank answers to an instruction that it has written down."""
    match behaviour:
        case Behaviour.LATE:
            return BankAnswer(Outcome.PENDING)
        case Behaviour.LOST_BUT_DONE | Behaviour.NEVER:
            return BankAnswer(Outcome.UNKNOWN)
        case _:
            return decided


def asked_answer(behaviour: Behaviour, decided: BankAnswer, *, ready: bool) -> BankAnswer:
    """What the test bank answers when it is asked later. `ready`: a slow account's time has come."""
    if behaviour is Behaviour.NEVER:
        return BankAnswer(Outcome.UNKNOWN)
    return decided if ready else BankAnswer(Outcome.PENDING)
