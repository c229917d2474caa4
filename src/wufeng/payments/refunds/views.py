"""Refunds as the border shows them."""

from collections.abc import Iterable, Sequence
from datetime import date
from uuid import UUID

import msgspec
from msgspec.structs import replace

from wufeng import credit
from wufeng.base.ids import Prefix, encode
from wufeng.credit.documents.queries import ExplanationView, show_explained_refund
from wufeng.credit.documents.refund import RefundFacts, Told
from wufeng.payments.refunds.model import BankReturn, EffectView, Refund, RefundView

_PREFIX_OF = {
    credit.EffectKind.UNBILLED: Prefix.DRAW,
    credit.EffectKind.INSTALMENT: Prefix.DRAW,
    credit.EffectKind.BILL: Prefix.BILL,
    credit.EffectKind.CREDIT_BALANCE: Prefix.LINE,
}


def view_refund(refund: Refund) -> RefundView:
    """A refund as its merchant, its payer and staff read it."""
    return RefundView(
        id=encode(Prefix.REFUND, refund.id),
        created_at=refund.created_at,
        status=refund.status,
        payment=encode(Prefix.PAYMENT, refund.payment_id),
        merchant=encode(Prefix.MERCHANT, refund.merchant_id),
        refund_no=refund.refund_no,
        amount_minor=refund.amount_minor,
        currency=refund.currency,
        reason=refund.reason,
        reason_code=refund.reason_code,
        fee_returned_minor=refund.fee_returned_minor,
        charges_returned_minor=refund.charges_returned_minor,
        effects=refund.effects,
        posted_at=refund.posted_at,
        value_on=refund.value_on,
    )


def explain_refund(refund: Refund, on: date, language: str) -> ExplanationView:
    """What a refund did to what its payer owes, and what went back; each piece in the order of its effects."""
    facts = RefundFacts(
        id=refund.id,
        amount_minor=refund.amount_minor,
        charges_minor=refund.charges_returned_minor,
        effects=[Told(effect.kind, effect.amount_minor, effect.to) for effect in refund.effects],
    )
    return show_explained_refund(facts, refund.currency, on, language)


def refund_body(refund: Refund) -> bytes:
    """The bytes of a refund's view."""
    return msgspec.json.encode(view_refund(refund))


def effects_of(
    refunded: credit.Refunded | credit.RefundedLate | None, wallet_minor: int, wallet_id: UUID
) -> tuple[EffectView, ...]:
    """What a refund did: first to the line, then what was returned to wallet and bank accounts."""
    effects: list[EffectView] = []
    if refunded is not None:
        effects += [*_on_line(refunded.effects), *map(_returned, refunded.sent)]
    if wallet_minor:
        effects.append(EffectView(credit.EffectKind.RETURNED, wallet_minor, encode(Prefix.WALLET, wallet_id)))
    return tuple(effects)


def sent_effects(effects: tuple[EffectView, ...], sent: Sequence[credit.Sent]) -> tuple[EffectView, ...]:
    """The effects after a refund of the past has sent money back: so much less stays in the payer's favour, else is
    taken off what it was told to have lowered, the last first: that had been paid.
    """
    left_minor = sum(one.amount_minor for one in sent)
    amounts = [effect.amount_minor for effect in effects]
    in_favour = [n for n, effect in enumerate(effects) if effect.kind is credit.EffectKind.CREDIT_BALANCE]
    lowered = [n for n, effect in enumerate(effects) if effect.kind in _PREFIX_OF and n not in in_favour]
    for n in (*reversed(in_favour), *reversed(lowered)):
        taken_minor = min(left_minor, amounts[n])
        amounts[n] -= taken_minor
        left_minor -= taken_minor
    kept = (
        replace(effect, amount_minor=amount)
        for effect, amount in zip(effects, amounts, strict=True)
        if amount
    )
    return (*kept, *map(_returned, sent))


def _returned(sent: credit.Sent) -> EffectView:
    """Money that goes back to where repayments came from."""
    assert sent.source.id is not None, "money returns to a source that is known"
    wallet = sent.source.kind is credit.SourceKind.WALLET
    to = encode(Prefix.WALLET if wallet else Prefix.BANK_ACCOUNT, sent.source.id)
    return EffectView(credit.EffectKind.RETURNED, sent.amount_minor, to)


def kept_effects(
    effects: tuple[EffectView, ...], back: BankReturn, kept: credit.Kept
) -> tuple[EffectView, ...]:
    """The effects after a bank refused a return: in its place, what the money did on the line instead."""
    account = encode(Prefix.BANK_ACCOUNT, back.bank_account_id)
    refused = EffectView(credit.EffectKind.RETURNED, back.amount_minor, account)
    place = effects.index(refused)
    return (*effects[:place], *_on_line(kept.effects), *effects[place + 1 :])


def _on_line(effects: Iterable[credit.Effect]) -> list[EffectView]:
    """What happened on the line; of what is returned, `effects_of` tells by the source."""
    views = []
    for effect in effects:
        if effect.kind is not credit.EffectKind.RETURNED:
            assert effect.to is not None, "what lowers a debt names it"
            views.append(
                EffectView(effect.kind, effect.amount_minor, encode(_PREFIX_OF[effect.kind], effect.to))
            )
    return views
