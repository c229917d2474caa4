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
from wufeng.credit.refunds.model import (
    Kept,
    Refunded,
    RefundRequest,
    Refused,
    Returned,
    sent_of,
)
from wufeng.credit.repayments import store as repayments
from wufeng.credit.repayments.model import SourceKind
from wufeng.credit.repayments.rules import brought_up


async def refund_draws(batch: Batch, requests: Sequence[RefundRequest], products: Products) -> list[Refunded]:
    """Refund what payments drew, and keep what it does to the lines; answers keep the order of the requests.

    The people of the lines are locked by the caller's command. Several refunds of one line see one another. The caller
    posts `ledger.rules.refund` among its legs (`legs_of_refund`), all of one batch in one `ledger.post`; money RETURNED
    to a bank account is the caller's to instruct. All count from the day on which they
    are made: others go by `refund_late`.
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
            undone=request.undone,
        )
        debts[line.id] = touched(refunded.debt, request.on)
        returnable[line.id] = rules.left_of(sources, refunded.returned)
        answers.append(refunded)

    new = [
        store.NewRefund(request, done.returned, done.subsidy_returned_minor)
        for request, done in zip(requests, answers, strict=True)
    ]
    await store.insert_refunds(batch.db, batch.bucket, new)
    if returned := [back for refunded in answers for back in refunded.returned]:
        await repayments.add_returned(batch.db, batch.bucket, returned)
    on = max(request.on for request in requests)
    await keep(batch, products, [Move(before[id_], debts[id_]) for id_ in debts], on)
    return answers


async def keep_refused(batch: Batch, refused: Sequence[Refused], products: Products) -> list[Kept]:
    """Money that banks refused pays what its line owes; what is left over stays in the person's favour. Answers keep
    the order of the refusals. Later refunds may send it to the same repayments again: it was not given back.

    The people of the lines are locked by the caller's command. Several refusals of one line see one another. The caller
    posts the reversal of the journal that had sent the money, each followed by its `journals_of_kept`, all of one batch
    in one `ledger.post`: a line's history reads the reversal there.
    """
    if not refused:
        return []
    await _take_back(batch, refused)
    found = await lines.load_lines(batch.db, batch.bucket, {one.line_id for one in refused})
    debts = await load_debts(batch.db, batch.bucket, found)
    before, answers = dict(debts), []
    for one in refused:
        line = found[one.line_id]
        versions = products.of_line(line.product, line.product_version, line.tier)
        debt = brought_up(debts[line.id], versions.contract, one.on)
        kept = rules.keep_refused(debt, one.amount_minor, versions, one.on)
        debts[line.id] = touched(kept.applied.debt, one.on)
        answers.append(kept)
    on = max(one.on for one in refused)
    await keep(batch, products, [Move(before[id_], debts[id_]) for id_ in debts], on)
    return answers


async def _take_back(batch: Batch, refused: Sequence[Refused]) -> None:
    """Of repayments, what banks refused was not given back."""
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
