"""What payments count for against the limits of the law, given back where it is let go instead of taken."""

from collections.abc import Sequence
from uuid import UUID

from wufeng.base.lanes import Batch
from wufeng.compliance import Spend, fold_release, load_sums, store_sums
from wufeng.payments.pay.model import Payment
from wufeng.payments.pay.rules import HOLDS_MONEY, counts, spend_of


async def release(batch: Batch, changes: Sequence[tuple[Payment, Payment]]) -> None:
    """Give back what payments hold no longer and have not taken: before and after an end or a capture."""
    freed: dict[UUID, list[tuple[Payment, Spend]]] = {}
    for before, after in changes:
        if (spend := let_go(before, after)) is not None:
            freed.setdefault(before.payer_id, []).append((before, spend))
    if not freed:
        return
    sums = await load_sums(batch.db, batch.bucket, freed)
    for payer in sums:
        for payment, spend in freed[payer]:
            sums[payer] = fold_release(sums[payer], spend, batch.book.business_date(payment.held_at))
    await store_sums(batch.db, batch.bucket, sums)


def let_go(before: Payment, after: Payment) -> Spend | None:
    """What a payment counted for and will never take. None: nothing, or it never counted."""
    if before.status not in HOLDS_MONEY or not counts(before.channel, before.funding):
        return None
    amount_minor = _counted_minor(before, before.amount_minor) - _counted_minor(after, before.amount_minor)
    wallet_minor = _counted_minor(before, before.wallet_minor) - _counted_minor(after, before.wallet_minor)
    if not amount_minor:
        return None
    return spend_of(amount_minor, wallet_minor, before.channel, before.confirmation)


def _counted_minor(payment: Payment, part_minor: int) -> int:
    """Of the whole, or of the wallet's part, which is captured first: all while it is held, then what was taken."""
    return part_minor if payment.status in HOLDS_MONEY else min(part_minor, payment.captured_minor)
