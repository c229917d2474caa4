"""What a refund did to a line, piece by piece, and why there."""

from collections.abc import Sequence
from uuid import UUID

from msgspec import Struct

from wufeng.base.ids import Prefix, encode
from wufeng.credit.documents.explain import Words
from wufeng.credit.documents.steps import Explained, Why
from wufeng.credit.refunds.model import EffectKind


class Told(Struct, frozen=True):
    """One piece of a refund as its payer reads it. `to`: the draw, bill, line or source, as the API names it."""

    kind: EffectKind
    amount_minor: int
    to: str


class RefundFacts(Struct, frozen=True, kw_only=True):
    """A refund as far as it is explained.

    amount_minor   what the merchant gave back
    charges_minor  fees and interest that the payer had paid and gets back beside it
    """

    id: UUID
    amount_minor: int
    charges_minor: int
    effects: Sequence[Told]


def explain_refund(facts: RefundFacts, currency: str, language: str) -> tuple[Explained, ...]:
    """A refund by where it went, each piece with the rule that put it there; then by what it is made of, if of two.

    Asserts that the pieces come to it.
    """
    words, total_minor = Words(currency, language), facts.amount_minor + facts.charges_minor
    steps = [_piece(words, effect) for effect in facts.effects]
    went = Explained(
        code=Why.REFUND,
        amount_minor=total_minor,
        of=encode(Prefix.REFUND, facts.id),
        sentence=words.say("refund", amount=words.money(total_minor)),
        steps=words.filled(total_minor, steps, Why.REFUND_OTHERWISE),
    )
    if not facts.charges_minor:
        return (went,)
    given = words.step(Why.GIVEN_BACK, facts.amount_minor)
    charges = words.step(Why.CHARGES_BACK, facts.charges_minor)
    return went, words.made(Why.REFUND_MADE_OF, total_minor, [given, charges])


def _piece(words: Words, effect: Told) -> Explained:
    return Explained(
        code=Why.REFUND_PIECE,
        part=effect.kind.value,
        amount_minor=effect.amount_minor,
        of=effect.to,
        sentence=words.say(f"refund_{effect.kind.value}", amount=words.money(effect.amount_minor)),
    )
