"""Payments as the border shows them. The bytes of a view are what a key remembers and what events carry."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Literal
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from wufeng.base.ids import Prefix, encode
from wufeng.credit.draws.model import Approved, Draw
from wufeng.credit.draws.rules import standing_plan
from wufeng.credit.lines.model import Line
from wufeng.credit.plans.model import Plan
from wufeng.credit.plans.rules import annualised_daily_ppm, annualised_rate_ppm
from wufeng.credit.products.commands import Products
from wufeng.credit.products.model import Product
from wufeng.lenders.model import Shares, lender_id
from wufeng.payments.orders.model import Channel, Receipt
from wufeng.payments.pay.model import Payment, PaymentStatus, Reader
from wufeng.risk.model import Confirmation, Reason
from wufeng.risk.rules import in_order
from wufeng.risk.texts import ReasonView, view_reasons

_PEOPLE = frozenset({Reader.PERSON, Reader.SPENDER})

SPENDER_READS = frozenset(
    {
        Reason.MERCHANT_CLOSED,
        Reason.ORDER_EXPIRED,
        Reason.CONFIRMATION_FAILED,
        Reason.FAMILY_CARD_CLOSED,
        Reason.FAMILY_CAP,
        Reason.SCENE_FORBIDDEN,
        Reason.CAMPAIGN_OVER,
    }
)
"""Reasons that who spends with a family card reads as they are; all others, about its owner: `family_card_closed`."""

_shared = lru_cache(maxsize=1 << 14)(encode)  # merchants and lenders: few, and in every payment


class InstalmentView(Struct, frozen=True, gc=False):
    """One part of a plan as the payer reads it. Its fee holds the interest of its plan and of its days, as quoted."""

    number: int
    principal_minor: int
    fee_minor: int
    amount_minor: int


class LenderView(Struct, frozen=True, gc=False):
    """Who lends, and how much of it."""

    lender: str
    name: str
    share_ppm: int


class FundingView(Struct, frozen=True, gc=False, omit_defaults=True):
    """One source of a payment. A line's entry carries its draw once there is one."""

    kind: str
    amount_minor: int
    wallet: str | None = None
    line: str | None = None
    draw: str | None = None
    tenor: int | None = None
    instalments: tuple[InstalmentView, ...] = ()
    lenders: tuple[LenderView, ...] = ()
    product: str | None = None
    annualised_rate_ppm: int | None = None


class NextAction(Struct, frozen=True, gc=False):
    """What the payer has to do, and until when. `needs`: the weakest confirmation that will do."""

    kind: Literal["confirm"]
    url: str
    needs: str
    expires_at: datetime | None


class PaymentView(Struct, frozen=True, gc=False, kw_only=True):
    """A payment as its callers read it.

    fee_minor     the merchant's fee, not for the payer's eyes
    inline_order  the order was made by this payment: its terms are all here
    spender       who pays with a family card of the payer's
    """

    id: str
    object: Literal["payment"] = "payment"
    created_at: datetime
    status: PaymentStatus
    order: str
    order_no: str
    merchant: str
    payer: str
    spender: str | None = None
    amount_minor: int
    currency: str
    scene: str
    subject: str
    receipt: Receipt
    inline_order: bool
    channel: Channel
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


class DrawFacts(Struct, frozen=True, gc=False):
    """What a view tells of a draw: one just decided, or one read from its row. `plan`: as it stands now."""

    id: UUID
    line_id: UUID
    product_version: int
    amount_minor: int
    tenor: int
    plan: Plan
    lenders: Shares


def facts_of_draw(draw: Draw, line: Line, products: Products) -> DrawFacts:
    """The facts of a draw that is kept, of its line."""
    product = products.version(line.product, draw.product_version, line.tier)
    return DrawFacts(
        draw.id,
        draw.line_id,
        draw.product_version,
        draw.amount_minor,
        draw.tenor,
        standing_plan(draw, line, product),
        draw.lenders,
    )


def facts_of_approved(draw: Approved) -> DrawFacts:
    """The facts of a draw that was decided just now."""
    request = draw.request
    return DrawFacts(
        request.id,
        request.line_id,
        draw.product_version,
        request.amount_minor,
        request.tenor,
        draw.plan,
        draw.lenders,
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
    """A payment for one reader. `product` is the line's, in any version: lenders have their names from it; None without
    credit.
    """
    pay_id = encode(Prefix.PAYMENT, payment.id)
    awaiting = payment.status is PaymentStatus.REQUIRES_ACTION
    return PaymentView(
        id=pay_id,
        created_at=payment.created_at,
        status=payment.status,
        order=encode(Prefix.ORDER, payment.order_id),
        order_no=payment.order_no,
        merchant=_shared(Prefix.MERCHANT, payment.merchant_id),
        payer=encode(Prefix.PERSON, payment.payer_id),
        spender=encode(Prefix.PERSON, payment.spender_id) if payment.spender_id is not None else None,
        amount_minor=payment.amount_minor,
        currency=payment.currency,
        scene=payment.scene,
        subject=payment.subject,
        receipt=payment.receipt,
        inline_order=payment.inline_order,
        channel=payment.channel,
        capture=payment.capture,
        captured_minor=payment.captured_minor,
        refunded_minor=payment.refunded_minor,
        fee_minor=None if reader in _PEOPLE else payment.fee_minor,
        funding=_spender_funding(payment)
        if reader is Reader.SPENDER
        else _funding(payment, draws, product, wallet_id, book_id, language),
        decision=_decision(payment, reader),
        reasons=_reasons(payment.reasons, reader, language) if payment.reasons else (),
        confirmed_by=payment.confirmed_by,
        next_action=_next_action(payment, pay_id) if awaiting else None,
        expires_at=payment.expires_at,
        captured_at=payment.captured_at,
    )


def _next_action(payment: Payment, pay_id: str) -> NextAction:
    needs = payment.needs or Confirmation.PIN
    return NextAction("confirm", f"/v1/payments/{pay_id}/confirm", needs.code, payment.expires_at)


def view_for(view: PaymentView, payment: Payment, reader: Reader, language: str) -> PaymentView:
    """The same payment for another reader of the same language: fee and wording of reasons differ, for who spends with
    a family card also what its owner paid with.
    """
    shown = msgspec.structs.replace(
        view,
        fee_minor=None if reader in _PEOPLE else payment.fee_minor,
        reasons=_reasons(payment.reasons, reader, language) if payment.reasons else (),
    )
    if reader is not Reader.SPENDER:
        return shown
    return msgspec.structs.replace(shown, funding=_spender_funding(payment), decision=None)


def _decision(payment: Payment, reader: Reader) -> str | None:
    if payment.decision_id is None or reader is Reader.SPENDER:
        return None
    return encode(Prefix.DECISION, payment.decision_id)


def _spender_funding(payment: Payment) -> tuple[FundingView, ...]:
    return (FundingView("family_card", payment.amount_minor),)


def _reasons(reasons: tuple[Reason, ...], reader: Reader, language: str) -> tuple[ReasonView, ...]:
    if reader is Reader.SPENDER:
        reasons = in_order(
            {reason if reason in SPENDER_READS else Reason.FAMILY_CARD_CLOSED for reason in reasons}
        )
    return view_reasons(reasons, language, for_merchant=reader is Reader.MERCHANT)


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
    return FundingView(
        "line",
        draw.amount_minor,
        line=encode(Prefix.LINE, draw.line_id),
        draw=encode(Prefix.DRAW, draw.id),
        tenor=draw.tenor,
        instalments=view_parts(draw.plan),
        lenders=view_lenders(draw.lenders, product, book_id, language),
        product=f"{product.id}@{draw.product_version}" if product else None,
        annualised_rate_ppm=_rate_of(draw.plan),
    )


def view_parts(plan: Plan) -> tuple[InstalmentView, ...]:
    """A plan's parts, numbered from 1."""
    return tuple(
        InstalmentView(number, principal, fee, principal + fee)
        for number, (principal, fee) in enumerate(
            zip(plan.principal_parts, plan.charges_minor, strict=True), 1
        )
    )


def view_lenders(
    lenders: Shares, product: Product | None, book_id: int, language: str
) -> tuple[LenderView, ...]:
    """Who lends, by name: the names stand in the product."""
    key = (product.id, product.version) if product else None
    found = _lender_views.get((lenders, key, book_id, language))
    if found is None:
        names = {
            lender_id(book_id, share.code): share.name.zh if language.startswith("zh") else share.name.en
            for share in (product.lenders if product else ())
        }
        found = tuple(
            LenderView(encode(Prefix.LENDER, lender), names.get(lender, ""), share)
            for lender, share in lenders
        )
        if len(_lender_views) > 4096:
            _lender_views.clear()
        _lender_views[lenders, key, book_id, language] = found
    return found


# Pure of its key: a version of a product never changes.
_lender_views: dict[tuple[Shares, tuple[str, int] | None, int, str], tuple[LenderView, ...]] = {}


def _rate_of(plan: Plan) -> int:
    if not plan.amount_minor:
        return 0
    if not plan.total_cost_minor:
        return annualised_daily_ppm(plan.daily_ppm)
    return _rate(replace(plan, due_on=(), subsidy_parts=()))


_rate = lru_cache(maxsize=1 << 14)(
    annualised_rate_ppm
)  # days and the merchant's share make no difference to it
