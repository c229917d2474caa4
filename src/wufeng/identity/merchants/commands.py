"""What can be asked about merchants: create one, close one."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from wufeng import ledger
from wufeng.base.books import Book
from wufeng.base.database import Database
from wufeng.base.errors import Code, Problem
from wufeng.base.ids import IdMaker
from wufeng.identity.audit.commands import audit
from wufeng.identity.audit.model import Act
from wufeng.identity.keys.commands import create_key
from wufeng.identity.keys.model import KeyKind, NewKey
from wufeng.identity.merchants import rules, store
from wufeng.identity.merchants.directory import Merchants
from wufeng.identity.merchants.model import FeePlan, Merchant, MerchantStatus, Scene
from wufeng.identity.merchants.queries import load_merchant


async def create_merchant(
    database: Database,
    ids: IdMaker,
    book: Book,
    name: str,
    scene: Scene,
    fee_plan: FeePlan,
    at: datetime,
    return_origins: Sequence[str] = (),
) -> tuple[Merchant, NewKey]:
    """Make a merchant, its accounts in the ledger and its first API key, in one transaction."""
    merchant = Merchant(
        id=ids.new_anywhere(at),
        book_id=book.id,
        name=rules.check_merchant(name, fee_plan),
        scene=scene,
        fee_plan=fee_plan,
        status=MerchantStatus.ACTIVE,
        created_at=at,
        return_origins=rules.check_origins(return_origins),
    )
    async with database.transaction() as db:
        await store.insert_merchant(db, merchant)
        await ledger.register_folded_accounts(
            db, ledger.folded_accounts(ledger.Owner.MERCHANT, merchant.id, book.currency, book.id)
        )
        key = await create_key(db, ids, book, KeyKind.MERCHANT, merchant.id, "first key", at)
    return merchant, key


async def set_return_origins(
    database: Database,
    merchants: Merchants,
    book: Book,
    ids: IdMaker,
    merchant_id: UUID,
    origins: Sequence[str],
    act: Act,
) -> Merchant:
    """Set where a merchant's checkouts may send people back to, for those made from now on. None: anywhere by https."""
    checked = rules.check_origins(origins)
    async with database.transaction() as db:
        await load_merchant(db, book, merchant_id)
        await store.set_origins(db, merchant_id, checked)
        await audit(db, book, ids, [act])
        merchant = await load_merchant(db, book, merchant_id)
    merchants.forget(merchant_id)
    return merchant


async def close_merchant(
    database: Database, merchants: Merchants, book: Book, ids: IdMaker, merchant_id: UUID, act: Act
) -> None:
    """Close a merchant: no new payment, but refunds and reading. Other processes follow in five seconds.

    Refuses an unknown one (not_found) and one that is closed already (state_conflict).
    """
    async with database.transaction() as db:
        await load_merchant(db, book, merchant_id)
        if not await store.close_merchant(db, book.id, merchant_id, act.at):
            raise Problem(Code.STATE_CONFLICT, "This merchant is closed already.")
        await audit(db, book, ids, [act])
    merchants.forget(merchant_id)
