"""The order in which money pays a debt, as data: a list of (age class × component). Source: PRODUCTS.md 2.1."""

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct


class Component(StrEnum):
    """What a period owes."""

    PENALTY = "penalty"
    FEE = "fee"
    INTEREST = "interest"
    PRINCIPAL = "principal"


class Age(StrEnum):
    """Where a period's due date lies, seen from the day of the money: before it, on it, after it."""

    PAST_DUE = "past_due"
    DUE = "due"
    IN_ADVANCE = "in_advance"


class Processing(StrEnum):
    """One period after another, or one component across all periods."""

    HORIZONTAL = "horizontal"
    VERTICAL = "vertical"


class Future(StrEnum):
    """What money does that comes in advance: pay the nearest period, the last one, or all of them evenly."""

    NEXT = "next"
    LAST = "last"
    EVENLY = "evenly"


class Step(Struct, frozen=True):
    """One place in the order."""

    age: Age
    component: Component


class Order(Struct, frozen=True):
    """The order of periods that are at least so many days past due."""

    steps: tuple[Step, ...]
    days_past_due: int = 0


class Waterfall(Struct, frozen=True):
    """How money is spread. Orders rise by days past due, from 0; a period goes by the last that it reaches."""

    orders: tuple[Order, ...]
    processing: Processing = Processing.HORIZONTAL
    future: Future = Future.NEXT


class Due(Struct, frozen=True):
    """What one period owes, by component, and how old it is. The number is its place: the oldest is the lowest."""

    number: int
    age: Age
    parts: Mapping[Component, int]
    days_past_due: int = 0


class Piece(Struct, frozen=True):
    """Money that one component of one period takes."""

    number: int
    component: Component
    amount_minor: int


class Allocation(Struct, frozen=True):
    """The pieces in the order of paying, and what nothing was left for."""

    pieces: tuple[Piece, ...]
    surplus_minor: int
