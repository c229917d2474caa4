"""What a kind of repayment source is: how its ids look, whose it is, what it has, and how it pays."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from wufeng.base.errors import Problem
from wufeng.base.ids import Prefix
from wufeng.base.lanes import Batch
from wufeng.credit.repayments.model import SourceKind


class Pays(StrEnum):
    """When money from a source is there."""

    AT_ONCE = "at_once"  # in the lane: the repayment is posted with its command
    LATER = "later"  # an outside rail has to answer: the repayment is pending until then


class Held(Struct, frozen=True):
    """One source as it stands in a batch.

    person_id        whose it is
    problem          why no money may leave it now; None: it may
    available_minor  what it has; None: nobody knows before the rail is asked
    """

    person_id: UUID
    problem: Problem | None = None
    available_minor: int | None = None


Load = Callable[[Batch, Collection[UUID]], Awaitable[Mapping[UUID, Held]]]
"""Loads sources of one kind by id, inside a batch; one that is unknown, or whose person is not locked, is absent."""


class SourceType(Struct, frozen=True):
    """One kind of source. Whoever brings a new kind makes one of these; nothing else in credit asks what kind it is.

    noun        what it is called in a problem's detail      not_theirs  the detail for one of another person, or none
    """

    kind: SourceKind
    prefix: Prefix
    pays: Pays
    noun: str
    not_theirs: str
    load: Load
