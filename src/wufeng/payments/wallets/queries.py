"""What can be read of wallets."""

from uuid import UUID

from wufeng import ledger
from wufeng.base.books import Book
from wufeng.base.database import Connection
from wufeng.base.errors import not_found
from wufeng.base.ids import Prefix, encode
from wufeng.identity.people.queries import get_person, person_of_wallet
from wufeng.identity.vault import Vault
from wufeng.ledger.model import NOTHING, AccountKind, account_id
from wufeng.payments.wallets import rules, store
from wufeng.payments.wallets.model import MovementKind, MovementView, WalletView


async def owner_of_wallet(db: Connection, book: Book, wallet_id: UUID) -> UUID:
    """Whose wallet it is. Raises the not_found problem for an unknown one."""
    person_id = await person_of_wallet(db, book, wallet_id)
    if person_id is None:
        raise not_found("wallet")
    return person_id


async def show_wallet(db: Connection, vault: Vault, book: Book, wallet_id: UUID) -> WalletView:
    """A wallet with its money. Raises the not_found problem for an unknown one."""
    person = await get_person(db, vault, book, await owner_of_wallet(db, book, wallet_id))
    account = account_id(wallet_id, AccountKind.WALLET)
    balance = (await ledger.load_balances(db, book.bucket_of(wallet_id), [account])).get(account, NOTHING)
    return WalletView(
        id=encode(Prefix.WALLET, wallet_id),
        person=encode(Prefix.PERSON, person.id),
        balance_minor=balance.owed_to_owner_minor,
        held_minor=balance.held_minor,
        available_minor=balance.available_minor or 0,
        currency=book.currency,
        tier=person.tier.value,
        created_at=person.created_at,
    )


async def show_movement(db: Connection, book: Book, movement_id: UUID) -> MovementView:
    """A top-up or a withdrawal. Raises the not_found problem for an unknown one."""
    found = await store.load_movements(db, book.bucket_of(movement_id), [movement_id])
    if movement_id not in found:
        raise not_found("movement")
    return rules.view_of(found[movement_id])


async def list_movements(
    db: Connection, book: Book, wallet_id: UUID, kind: MovementKind | None, before: UUID | None, limit: int
) -> list[MovementView]:
    """A wallet's top-ups, withdrawals, or both, newest first; `before` is the last id of the page before."""
    bucket = book.bucket_of(wallet_id)
    return [rules.view_of(m) for m in await store.list_movements(db, bucket, wallet_id, kind, before, limit)]
