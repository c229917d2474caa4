"""A shipment as the payer's bucket takes it: draws that waited for it may be billed."""

from collections.abc import Collection, Sequence
from uuid import UUID

import msgspec

from wufeng import credit
from wufeng.base.claims import Answer
from wufeng.base.errors import Problem
from wufeng.base.lanes import Batch, Command
from wufeng.credit.products.model import Billing
from wufeng.payments.pay.state import Desk

CONFIRM_AFTER_DAYS = Billing().confirm_after_days
"""Days after which a receipt counts as confirmed where no draw's product says so: a payment from a wallet."""


class TakeShipments(Command, frozen=True, kw_only=True):
    """Orders that these payments paid were shipped at the command's instant; `people` names their payers.

    Submit it to the payers' bucket. The answer says for each payment after how many days its receipt counts as
    confirmed; null: only the person confirms.
    """

    payments: tuple[UUID, ...]


async def take(batch: Batch, desk: Desk, commands: Sequence[TakeShipments]) -> list[Answer | Problem]:
    """Make draws billable whose product waits for the shipment. Doing it again changes nothing.

    Where the date of the shipment is closed already, they are billable from the date that is open.
    """
    products = desk.catalogue.products
    answers: list[Answer | Problem] = []
    for command in commands:
        on = batch.book.business_date(command.at)
        for payment_id in command.payments:
            await credit.make_billable(batch, products, payment_id, credit.BillableAt.SHIPMENT, on)
        days = await _confirm_after_days(batch, products, command.payments)
        body = msgspec.json.encode([days.get(payment, CONFIRM_AFTER_DAYS) for payment in command.payments])
        answers.append(Answer(200, body))
    return answers


async def _confirm_after_days(
    batch: Batch, products: credit.Products, payments: Collection[UUID]
) -> dict[UUID, int | None]:
    """What the products of the payments' draws say, by payment; one without a draw is absent."""
    draws = await credit.draws_of_payments(batch.db, batch.bucket, payments)
    states = await credit.load_states(batch.db, batch.bucket, {draw.line_id for draw in draws})
    days: dict[UUID, int | None] = {}
    for draw in draws:
        assert draw.payment_id is not None, "a payment's draw names it"
        product = products.version(
            states[draw.line_id].line.product, draw.product_version, states[draw.line_id].line.tier
        )
        days[draw.payment_id] = product.billing.confirm_after_days
    return days
