"""Wallets: what is in them, money in from a bank account, money out to one."""

from uuid import UUID

from msgspec import Struct

from wufeng.api.bodies import AmountMinor, BankAccountId
from wufeng.api.routing import Call, Nothing, Route, reply
from wufeng.base.claims import Answer
from wufeng.base.ids import Prefix, decode, slot_of
from wufeng.identity import own_person
from wufeng.payments.wallets import TopUp, WalletView, Withdraw, owner_of_wallet, show_wallet
from wufeng.payments.wallets.model import MovementView


class MoveMoney(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much, and from or to which of the person's bank accounts."""

    amount_minor: AmountMinor
    bank_account: BankAccountId


async def get_wallet(call: Call[Nothing, Nothing]) -> Answer:
    """A wallet with its balance, what is held of it, and what may be spent."""
    wallet_id, _ = await _wallet(call)
    async with call.services.database.read() as db:
        return reply(await show_wallet(db, call.services.vault, call.book, wallet_id))


async def create_top_up(call: Call[MoveMoney, Nothing]) -> Answer:
    """Bring money in: 202, pending until the bank has answered."""
    return await _move(call, TopUp)


async def create_withdrawal(call: Call[MoveMoney, Nothing]) -> Answer:
    """Take money out: held at once, 202, pending until the bank has answered."""
    return await _move(call, Withdraw)


async def _move(call: Call[MoveMoney, Nothing], kind: type[TopUp] | type[Withdraw]) -> Answer:
    wallet_id, person_id = await _wallet(call)
    command = kind(
        at=call.at,
        people=(person_id,),
        claim=call.claim,
        request_id=call.request_id,
        movement_id=call.services.ids.new(call.at, slot_of(person_id)),
        person_id=person_id,
        wallet_id=wallet_id,
        bank_account_id=decode(Prefix.BANK_ACCOUNT, call.body.bank_account),
        amount_minor=call.body.amount_minor,
    )
    return await call.services.lanes.submit(call.book.bucket_of(person_id), command)


async def _wallet(call: Call[MoveMoney, Nothing] | Call[Nothing, Nothing]) -> tuple[UUID, UUID]:
    """(wallet, person) of the path; another person's is an absent one."""
    wallet_id = call.path_id(Prefix.WALLET, "wallet")
    async with call.services.database.read() as db:
        person_id = await owner_of_wallet(db, call.book, wallet_id)
    own_person(call.caller, person_id, "wallet")
    return wallet_id, person_id


ROUTES = (
    Route(
        method="GET",
        path="/v1/wallets/{id}",
        operation="get_wallet",
        summary="One wallet",
        handle=get_wallet,
        answers={200: WalletView},
    ),
    Route(
        method="POST",
        path="/v1/wallets/{id}/top_ups",
        operation="create_top_up",
        summary="Bring money into a wallet",
        handle=create_top_up,
        body=MoveMoney,
        answers={202: MovementView},
        keyed=True,
    ),
    Route(
        method="POST",
        path="/v1/wallets/{id}/withdrawals",
        operation="create_withdrawal",
        summary="Take money out of a wallet",
        handle=create_withdrawal,
        body=MoveMoney,
        answers={202: MovementView},
        keyed=True,
    ),
)
