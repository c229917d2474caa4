"""Refunds as the border shows them."""

from datetime import date
from uuid import UUID

import msgspec

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
    refunded: credit.Refunded | None, wallet_minor: int, wallet_id: UUID
) -> tuple[EffectView, ...]:
    """What a refund did: first to the line, then what was returned to wallet and bank accounts."""
    effects: list[EffectView] = []
    if refunded is not None:
        for effect in refunded.effects:
            if effect.kind is not credit.EffectKind.RETURNED:
                assert effect.to is not None, "what lowers a debt names it"
                to = encode(_PREFIX_OF[effect.kind], effect.to)
                effects.append(EffectView(effect.kind, effect.amount_minor, to))
        for sent in refunded.sent:
            assert sent.source.id is not None, "money returns to a source that is known"
            wallet = sent.source.kind is credit.SourceKind.WALLET
            to = encode(Prefix.WALLET if wallet else Prefix.BANK_ACCOUNT, sent.source.id)
            effects.append(EffectView(credit.EffectKind.RETURNED, sent.amount_minor, to))
    if wallet_minor:
        effects.append(EffectView(credit.EffectKind.RETURNED, wallet_minor, encode(Prefix.WALLET, wallet_id)))
    return tuple(effects)


def kept_effect(effects: tuple[EffectView, ...], back: BankReturn) -> tuple[EffectView, ...]:
    """The effects after a bank refused a return: the money is in the person's favour on the line."""
    account = encode(Prefix.BANK_ACCOUNT, back.bank_account_id)
    refused = EffectView(credit.EffectKind.RETURNED, back.amount_minor, account)
    place = effects.index(refused)
    kept = EffectView(credit.EffectKind.CREDIT_BALANCE, back.amount_minor, encode(Prefix.LINE, back.line_id))
    return (*effects[:place], kept, *effects[place + 1 :])
