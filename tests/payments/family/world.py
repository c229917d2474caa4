"""A family in the town of payments: an owner with a card given out, and who holds it."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from tests.payments.conftest import Payer, Town, seen

from wufeng.base.claims import Answer
from wufeng.base.errors import Problem
from wufeng.base.ids import Prefix, decode
from wufeng.payments.family.model import (
    Caps,
    CardStatus,
    CreateCard,
    FamilyCard,
    Move,
    MoveCard,
    SetCaps,
    Spend,
)
from wufeng.payments.family.rules import month_of
from wufeng.payments.pay.model import Funding, Pay, Reader

CAP = 100_00


class Family:
    """One card: who gave it, who holds it."""

    def __init__(self, town: Town, owner: Payer, spender: Payer, card: FamilyCard) -> None:
        self.town = town
        self.owner = owner
        self.spender = spender
        self.id = card.id
        self.card = card

    @property
    def funding(self) -> Funding:
        return Funding(self.card.use_wallet, self.card.line_id)

    def command(self, order_no: str, amount_minor: int, **more: Any) -> Pay:
        """A payment with the card, as the edge makes it."""
        spend = Spend(self.id, more.pop("spender_id", self.spender.id))
        command = self.town.pay_command(
            self.owner,
            self.town.terms(order_no, amount_minor),
            funding=self.funding,
            reader=Reader.SPENDER,
            **more,
        )
        return Pay(**{name: getattr(command, name) for name in command.__struct_fields__} | {"spend": spend})

    async def pay(self, order_no: str, amount_minor: int, **more: Any) -> tuple[int, dict[str, Any]]:
        lanes = more.pop("lanes", None)
        return seen(await self.submit(self.command(order_no, amount_minor, **more), lanes))

    async def submit(self, command: Any, lanes: Any = None) -> Answer | Problem:
        return await self.town.submit(self.owner.bucket, command, lanes)

    async def move(self, move: Move, by: Payer | None = None) -> tuple[int, dict[str, Any]]:
        actor = by or self.owner
        command = MoveCard(
            at=self.town.at, people=(self.owner.id,), card_id=self.id, actor_id=actor.id,
            phone_id=phone_of(actor), move=move, seen=None,
        )  # fmt: skip
        return await self.town.ask(self.owner.bucket, command)

    async def set_caps(self, caps: Caps, *, confirmed: bool = True) -> tuple[int, dict[str, Any]]:
        command = SetCaps(
            at=self.town.at, people=(self.owner.id,), card_id=self.id, owner_id=self.owner.id, caps=caps,
            confirmed=confirmed, seen=None,
        )  # fmt: skip
        return await self.town.ask(self.owner.bucket, command)

    async def used(self) -> int:
        """What the card's row says; the payments of its month say the same."""
        [row] = await self.town.fetch(
            "select c.used_minor, coalesce((select sum(u.used_minor) from family_use as u where u.bucket = c.bucket"
            " and u.card_id = c.id and u.month_on = c.month_on), 0)::bigint as summed from family_card as c"
            " where c.id = $1",
            self.id,
        )
        assert row["used_minor"] == row["summed"]
        return int(row["used_minor"])


def phone_of(payer: Payer) -> UUID:
    """What stands for the phone of a person of these tests."""
    return UUID(int=payer.id.int ^ 1)


def new_card(town: Town, owner: Payer, spender: Payer, **more: Any) -> FamilyCard:
    fields: dict[str, Any] = {
        "id": town.ids.new(town.at, owner.id.int & 0xFFFF), "owner_id": owner.id,
        "owner_phone_id": phone_of(owner), "spender_phone_id": phone_of(spender), "spender_id": None,
        "name": "Mum", "use_wallet": True, "line_id": None, "month_cap_minor": CAP, "payment_cap_minor": None,
        "status": CardStatus.INVITED, "expires_at": town.at + timedelta(days=7),
        "month_on": month_of(town.book.business_date(town.at)), "used_minor": 0, "created_at": town.at,
    }  # fmt: skip
    return FamilyCard(**{**fields, **more})


async def give(town: Town, owner: Payer, spender: Payer, **more: Any) -> Family:
    """A card given and accepted."""
    card = new_card(town, owner, spender, **more)
    status, body = await town.ask(owner.bucket, CreateCard(at=town.at, people=(owner.id,), card=card))
    assert (status, body["status"]) == (201, "invited"), body
    assert decode(Prefix.FAMILY_CARD, body["id"]) == card.id
    family = Family(town, owner, spender, card)
    status, body = await family.move(Move.ACCEPT, spender)
    assert (status, body["status"], body["role"]) == (200, "active", "spender")
    return family


async def a_family(town: Town, *, wallet_minor: int = 1_000_00, **more: Any) -> Family:
    """An owner with money, a spender in the other bucket without any, and a card between them."""
    [owner] = await town.people(wallet_minor=wallet_minor)
    [spender] = await town.people(bucket=town.book.buckets[1])
    return await give(town, owner, spender, **more)
