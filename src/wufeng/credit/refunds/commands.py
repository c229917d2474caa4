"""What payments ask of refunds, inside their own batch: less is owed, and they are told what is to be posted."""

from collections.abc import Sequence

from msgspec.structs import replace

from wufeng.base.lanes import Batch
from wufeng.credit.debts.commands import Move, keep
from wufeng.credit.debts.rules import touched
from wufeng.credit.debts.store import load_debts
from wufeng.credit.lines import store as lines
from wufeng.credit.products.commands import Products
from wufeng.credit.refunds import rules, store
from wufeng.credit.refunds.model import Refunded, RefundRequest, Refused, Returnable, Returned, sent_of
from wufeng.credit.repayments import store as repayments
from wufeng.credit.repayments.model import SourceKind
from wufeng.credit.repayments.rules import brought_up


async def refund_draws(batch: Batch, requests: Sequence[RefundRequest], products: Products) -> list[Refunded]:
    """Refund what payments drew, and keep what it does to the lines; answers keep the order of the requests.

    The people of the lines are locked by the caller's command. Several refunds of one line see one another. The caller
    posts `ledger.rules.refund` with `principal_refunded` and `surplus_minor`, then `journals_after_refund`, all of one
    batch in one `ledger.post`; money RETURNED to a bank account is the caller's to instruct.
    Asserts that no more is refunded than the draws have left: the payment has seen to that.
    """
    ids = {request.line_id for request in requests}
    found = await lines.load_lines(batch.db, batch.bucket, ids)
    draw_ids = [id_ for request in requests for id_ in request.draw_ids]
    debts = await load_debts(batch.db, batch.bucket, found, draw_ids)
    returnable = await repayments.load_returnable(batch.db, batch.bucket, ids)

    before, answers = dict(debts), []
    for request in requests:
        line = found[request.line_id]
        versions = products.of_line(line.product, line.product_version, line.tier)
        debt = brought_up(debts[line.id], versions.contract, request.on)
        sources = returnable.get(line.id, [])
        refunded = rules.refund(
            debt,
            request.draw_ids,
            request.amount_minor,
            sources,
            versions,
            request.on,
            merchants_fault=request.merchants_fault,
        )
        debts[line.id] = touched(refunded.debt, request.on)
        returnable[line.id] = _less(sources, refunded.returned)
        answers.append(refunded)

    await store.insert_refunds(batch.db, batch.bucket, list(zip(requests, answers, strict=True)))
    if returned := [back for refunded in answers for back in refunded.returned]:
        await repayments.add_returned(batch.db, batch.bucket, returned)
    on = max(request.on for request in requests)
    await keep(batch, products, [Move(before[id_], debts[id_]) for id_ in debts], on)
    return answers


async def keep_refused(batch: Batch, refused: Sequence[Refused]) -> None:
    """Money that banks refused was not given back: later refunds may send it to the same repayments again.

    The caller posts the reversal of the journal that had sent it, in the same batch: a line's history reads it there.
    """
    returned = await store.load_returned(batch.db, batch.bucket, {one.refund_id for one in refused})
    kept = [back for one in refused for back in _of_number(returned[one.refund_id], one)]
    await repayments.add_returned(
        batch.db, batch.bucket, [replace(back, amount_minor=-back.amount_minor) for back in kept]
    )


def _of_number(returned: Sequence[Returned], refused: Refused) -> tuple[Returned, ...]:
    """What the return of that number gave back, of which repayments."""
    to_banks = [back for back in returned if back.source.kind is SourceKind.BANK_ACCOUNT]
    by_account = sent_of(to_banks)
    if len(by_account) != refused.of:
        return (to_banks[refused.number],)
    return by_account[refused.number].returned


def _less(sources: Sequence[Returnable], returned: Sequence[Returned]) -> list[Returnable]:
    """What can still be given back after a refund."""
    gone = {back.repayment_id: back.amount_minor for back in returned}
    left = [
        Returnable(one.repayment_id, one.source, one.amount_minor - gone.get(one.repayment_id, 0))
        for one in sources
    ]
    return [one for one in left if one.amount_minor]
