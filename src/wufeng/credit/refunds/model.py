"""A refund of a draw: what the merchant gives back lowers what the line owes, and only then returns as money."""

from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from wufeng.credit.draws.model import Unearned
from wufeng.credit.lines.model import Line
from wufeng.credit.repayments.model import Debt, Source, Spread


class EffectKind(StrEnum):
    """What a piece of a refund did (API.md, refunds)."""

    UNBILLED = "unbilled"  # a draw not yet on a bill owes less
    BILL = "bill"  # a bill owes less
    INSTALMENT = "instalment"  # an instalment to come owes less, from the last backwards
    CREDIT_BALANCE = "credit_balance"  # stays on the line in the person's favour
    RETURNED = "returned"  # goes back to where a repayment came from


class Effect(Struct, frozen=True):
    """One piece of a refund. `to` is the bill, the draw, or the source of a repayment."""

    kind: EffectKind
    amount_minor: int
    to: UUID | None = None


class Returnable(Struct, frozen=True):
    """What a repayment paid, of whatever part of the debt, and no refund has given back yet."""

    repayment_id: UUID
    source: Source
    amount_minor: int


class Returned(Struct, frozen=True, omit_defaults=True):
    """Money that goes back to the source of a repayment.

    sending  0: with the refund itself, on the date from which it counts; what is left over later goes in a first, a
             second sending, each on a date of its own (`on`)
    later    whether the repayment counts from after the refund, so that it no longer pays what goes back
    """

    repayment_id: UUID
    source: Source
    amount_minor: int
    sending: int = 0
    on: date | None = None
    later: bool = False


class Sent(Struct, frozen=True):
    """Money that a refund sends to one source, for all the repayments that came from it: one transfer, one journal.

    on  the date, where it is not that of the refund itself
    """

    source: Source
    returned: tuple[Returned, ...]
    on: date | None = None

    @property
    def amount_minor(self) -> int:
        """All of it."""
        return sum(back.amount_minor for back in self.returned)


def sent_of(returned: Iterable[Returned]) -> tuple[Sent, ...]:
    """Money by its sending and the source that it goes to, in the order in which those come first."""
    together: dict[tuple[int, Source], list[Returned]] = {}
    for back in returned:
        together.setdefault((back.sending, back.source), []).append(back)
    return tuple(Sent(source, tuple(backs), backs[0].on) for (_, source), backs in together.items())


SENT_MAX = 64
"""To how many bank accounts one refund may send money: so many ids of returns it has."""


class Refused(Struct, frozen=True, kw_only=True):
    """A bank's refusal of money that a refund gave back, on the date of its answer.

    number, of  which of how many returns to banks the refund has, from 0. Refunds used to have one for each repayment,
                and may still wait for a bank: then there are more than bank accounts
    """

    refund_id: UUID
    line_id: UUID
    number: int
    of: int
    amount_minor: int
    on: date


class Kept(Struct, frozen=True):
    """What money that a bank refused does to a line instead.

    before   the debt that it found, brought up to the date        applied  what it paid, and what was left over
    effects  the pieces: what it paid of bills and draws, and what stays in the person's favour
    """

    before: Debt
    applied: Spread
    effects: tuple[Effect, ...]


class Sending(Struct, frozen=True):
    """Money that a refund of the past sends back today: what came late has shown that it had been paid."""

    refund_id: UUID
    line_id: UUID
    returned: tuple[Returned, ...]

    @property
    def sent(self) -> tuple[Sent, ...]:
        """What goes back, by the source that it goes to."""
        return sent_of(self.returned)


class RefundRequest(Struct, frozen=True, kw_only=True):
    """A refund of what a payment drew: `draw_ids` in the order of their captures.

    on               the date on which it is made
    value_on         the earlier one from which it counts; None: from the day it is made
    merchants_fault  the reason is the merchant's: fees of the refunded part that were paid come back too
    undone           as if the purchase had not happened: charges of it are nobody's, whatever its product keeps
    """

    id: UUID
    line_id: UUID
    draw_ids: tuple[UUID, ...]
    amount_minor: int
    on: date
    value_on: date | None = None
    merchants_fault: bool = False
    undone: bool = False


class Refunded(Struct, frozen=True):
    """What a refund does to a line.

    owed_before_minor       principal the line owed before it
    debt                    the line's debt after it
    principal_minor         of the refunded draws, owed no longer
    fee_cancelled_minor     billed fees of theirs, owed no longer
    fee_returned_minor      billed fees of theirs that were paid and come back, at the lenders' cost
    interest_cancelled_minor, interest_returned_minor  the same of billed interest of theirs for days to come
    subsidy_returned_minor  the merchant's share of fees of months cancelled
    subsidy_given_up_minor  of it, of months billed and unpaid: their lenders had earned it
    unearned                the rest of it, of months that no bill has taken
    applied                 what the rest paid of the line's other debts; None when there was no rest
    returned, kept_minor    what goes back to where repayments came from, and what stays in the person's favour
    """

    owed_before_minor: int
    debt: Debt
    effects: tuple[Effect, ...]
    principal_minor: int
    fee_cancelled_minor: int
    subsidy_returned_minor: int
    applied: Spread | None
    returned: tuple[Returned, ...]
    kept_minor: int
    fee_returned_minor: int = 0
    interest_cancelled_minor: int = 0
    interest_returned_minor: int = 0
    subsidy_given_up_minor: int = 0
    unearned: tuple[Unearned, ...] = ()

    @property
    def line(self) -> Line:
        """The line that it is of, as it is after it."""
        return self.debt.line

    @property
    def sent(self) -> tuple[Sent, ...]:
        """What goes back, by the source that it goes to."""
        return sent_of(self.returned)

    @property
    def charges_returned_minor(self) -> int:
        """Fees and interest that were paid and come back."""
        return self.fee_returned_minor + self.interest_returned_minor

    @property
    def surplus_minor(self) -> int:
        """The merchant's money that was not owed any more: it goes to the line's credit balance first, and from there
        on as told. Charges that come back go there too, by a journal of their own.
        """
        applied_minor = self.applied.paid_minor if self.applied is not None else 0
        if self.debt.line.charged_off_on is not None:  # the books hold no principal that it could lower
            applied_minor += self.principal_minor
        left_minor = sum(back.amount_minor for back in self.returned) + self.kept_minor
        return applied_minor + left_minor - self.charges_returned_minor
