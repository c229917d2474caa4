"""What can be asked of family cards. All of it runs under the owner's row, as the payments do that they pay."""

from collections.abc import Sequence
from uuid import UUID

from wufeng.base.claims import Answer
from wufeng.base.errors import Code, Problem, not_found
from wufeng.base.lanes import Batch
from wufeng.identity.people.model import PersonStatus
from wufeng.payments.family import rules, store
from wufeng.payments.family.model import CreateCard, FamilyCard, MoveCard, SetCaps
from wufeng.payments.family.policy import shipped_family_policy
from wufeng.payments.family.views import card_body


async def create(batch: Batch, desk: object, commands: Sequence[CreateCard]) -> list[Answer | Problem]:  # noqa: ARG001
    """Make cards. The answer is the same whether somebody has that phone or not."""
    live_max = shipped_family_policy().live_max
    answers: list[Answer | Problem] = []
    for command in commands:
        card = command.card
        owner = batch.people.get(card.owner_id)
        if owner is None or owner.status is not PersonStatus.ACTIVE:
            answers.append(not_found("person"))
        elif await store.count_live(batch.db, batch.bucket, card.owner_id, command.at) >= live_max:
            detail = f"A person has at most {live_max} family cards: stop one first."
            answers.append(Problem(Code.STATE_CONFLICT, detail))
        else:
            await store.insert_card(batch.db, batch.bucket, card)
            body = card_body(card, card.owner_id, None, batch.book, command.at)
            answers.append(Answer(201, body, card.id))
    return answers


async def set_caps(batch: Batch, desk: object, commands: Sequence[SetCaps]) -> list[Answer | Problem]:  # noqa: ARG001
    """Set cards' caps. The next payment sees them."""
    cards = await store.load_cards(batch.db, batch.bucket, {command.card_id for command in commands})
    answers: list[Answer | Problem] = []
    for command in commands:
        before = cards.get(command.card_id)
        if before is None or before.owner_id != command.owner_id:
            answers.append(not_found("family card"))
            continue
        after = rules.with_caps(before, command.caps, command.at, confirmed=command.confirmed)
        if not isinstance(after, Problem):
            await _store(batch, cards, before, after)
            body = card_body(after, command.owner_id, command.seen, batch.book, command.at)
            answers.append(Answer(200, body, after.id))
        else:
            answers.append(after)
    return answers


async def move(batch: Batch, desk: object, commands: Sequence[MoveCard]) -> list[Answer | Problem]:  # noqa: ARG001
    """Accept, pause, resume or stop cards. A stop holds from the very next payment on."""
    cards = await store.load_cards(batch.db, batch.bucket, {command.card_id for command in commands})
    answers: list[Answer | Problem] = []
    for command in commands:
        before = cards.get(command.card_id)
        if before is None:
            answers.append(not_found("family card"))
            continue
        after = rules.moved(before, command.move, command.actor_id, command.phone_id, command.at)
        if not isinstance(after, Problem):
            await _store(batch, cards, before, after)
            body = card_body(after, command.actor_id, command.seen, batch.book, command.at)
            answers.append(Answer(200, body, after.id))
        else:
            answers.append(after)
    return answers


async def _store(batch: Batch, cards: dict[UUID, FamilyCard], before: FamilyCard, after: FamilyCard) -> None:
    if after != before:
        await store.update_card(batch.db, batch.bucket, after)
        cards[after.id] = after
