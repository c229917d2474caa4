"""Payments as the border shows them. The bytes of a view are what a key remembers and what events carry."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct

from wufeng.base.ids import Prefix, encode
from wufeng.credit.draws.model import Draw
from wufeng.credit.plans.model import Plan
from wufeng.credit.plans.rules import annualised_rate_ppm
from wufeng.credit.products.model import Product
from wufeng.lenders.model import Shares, lender_id
from wufeng.payments.pay.model import (
    FundingView,
    InstalmentView,
    LenderView,
    NextAction,
    Payment,
    PaymentStatus,
    Reader,
)
from wufeng.risk.texts import ReasonView, view_reasons


class PaymentView(Struct, frozen=True, kw_only=True):
    """A payment as its callers read it."""

    id: str
    object: str
    created_at: datetime
    status: PaymentStatus
    order: str
    order_no: str
    merchant: str
    payer: str
    amount_minor: int
    currency: str
    scene: str
    subject: str
    capture: str
    captured_minor: int
    refunded_minor: int
    fee_minor: int | None
    funding: tuple[FundingView, ...]
    decision: str | None
    reasons: tuple[ReasonView, ...]
    confirmed_by: str | None
    next_action: NextAction | None
    expires_at: datetime | None
    captured_at: datetime | None


class DrawFacts(Struct, frozen=True):
    """What a view tells of a draw: one just decided, or one read from its row."""

    id: UUID
    line_id: UUID
    amount_minor: int
    tenor: int
    principal_parts: tuple[int, ...]
    fee_parts: tuple[int, ...]
    lenders: Shares


def facts_of(draw: Draw) -> DrawFacts:
    """The facts of a draw that is kept."""
    return DrawFacts(
        id=draw.id,
        line_id=draw.line_id,
        amount_minor=draw.amount_minor,
        tenor=draw.tenor,
        principal_parts=draw.principal_parts,
        fee_parts=draw.fee_parts,
        lenders=draw.lenders,
    )


def view_payment(
    payment: Payment,
    draws: Sequence[DrawFacts],
    product: Product | None,
    wallet_id: UUID | None,
    book_id: int,
    reader: Reader,
    language: str,
) -> PaymentView:
    """A payment for one reader. `product` is the line's, for the names of lenders; None without credit."""
    pay_id = encode(Prefix.PAYMENT, payment.id)
    awaiting = payment.status is PaymentStatus.REQUIRES_ACTION
    return PaymentView(
        id=pay_id,
        object="payment",
        created_at=payment.created_at,
        status=payment.status,
        order=encode(Prefix.ORDER, payment.order_id),
        order_no=payment.order_no,
        merchant=encode(Prefix.MERCHANT, payment.merchant_id),
        payer=encode(Prefix.PERSON, payment.payer_id),
        amount_minor=payment.amount_minor,
        currency=payment.currency,
        scene=payment.scene,
        subject=payment.subject,
        capture=payment.capture.value,
        captured_minor=payment.captured_minor,
        refunded_minor=payment.refunded_minor,
        fee_minor=payment.fee_minor if reader is Reader.MERCHANT else None,
        funding=_funding(payment, draws, product, wallet_id, book_id, language),
        decision=encode(Prefix.DECISION, payment.decision_id) if payment.decision_id else None,
        reasons=view_reasons(payment.reasons, language, for_merchant=reader is Reader.MERCHANT)
        if payment.reasons
        else (),
        confirmed_by=payment.confirmed_by,
        next_action=NextAction("confirm", f"/v1/payments/{pay_id}/confirm", payment.expires_at)
        if awaiting
        else None,
        expires_at=payment.expires_at,
        captured_at=payment.captured_at,
    )


def payment_body(view: PaymentView) -> bytes:
    """The bytes of a view."""
    return msgspec.json.encode(view)


def _funding(
    payment: Payment,
    draws: Sequence[DrawFacts],
    product: Product | None,
    wallet_id: UUID | None,
    book_id: int,
    language: str,
) -> tuple[FundingView, ...]:
    sources: list[FundingView] = []
    if payment.wallet_minor or (payment.funding.use_wallet and not payment.credit_minor):
        wallet = encode(Prefix.WALLET, wallet_id) if wallet_id else None
        sources.append(FundingView("wallet", payment.wallet_minor, wallet=wallet))
    for draw in draws:
        sources.append(_line_funding(draw, product, book_id, language))
    if not draws and payment.funding.line_id is not None:
        line = encode(Prefix.LINE, payment.funding.line_id)
        sources.append(FundingView("line", payment.credit_minor, line=line, tenor=payment.funding.tenor))
    return tuple(sources)


def _line_funding(draw: DrawFacts, product: Product | None, book_id: int, language: str) -> FundingView:
    names = {
        lender_id(book_id, share.code): share.name.zh if language.startswith("zh") else share.name.en
        for share in (product.lenders if product else ())
    }
    fees = draw.fee_parts or (0,) * len(draw.principal_parts)
    return FundingView(
        "line",
        draw.amount_minor,
        line=encode(Prefix.LINE, draw.line_id),
        draw=encode(Prefix.DRAW, draw.id),
        tenor=draw.tenor,
        instalments=tuple(
            InstalmentView(n, principal, fee, principal + fee)
            for n, (principal, fee) in enumerate(zip(draw.principal_parts, fees, strict=True), 1)
        ),
        lenders=tuple(
            LenderView(encode(Prefix.LENDER, lender), names.get(lender, ""), share)
            for lender, share in draw.lenders
        ),
        product=f"{product.id}@{product.version}" if product else None,
        annualised_rate_ppm=_rate_of(draw) if draw.tenor > 1 else 0,
    )


def _rate_of(draw: DrawFacts) -> int:
    return annualised_rate_ppm(Plan(draw.principal_parts, draw.fee_parts, (0,) * len(draw.fee_parts), ()))
