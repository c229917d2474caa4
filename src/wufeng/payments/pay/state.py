"""What the payments of a batch are decided from, and how the payers' states move on."""

from collections.abc import Collection, Mapping
from datetime import date
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from wufeng import ledger
from wufeng.base.lanes import Batch
from wufeng.compliance import load_sums
from wufeng.compliance.limits.model import NOTHING_PAID
from wufeng.credit import LineState, Product, load_states_of_people
from wufeng.identity import Merchants, PersonGuard
from wufeng.identity.merchants.model import Merchant
from wufeng.ledger import AccountKind, account_id
from wufeng.payments.campaigns.model import Room
from wufeng.payments.catalogue import Catalogue
from wufeng.payments.family.model import FamilyCard, Spend, Use
from wufeng.payments.pay.rules import Given, PayerState
from wufeng.risk import load_known


class Desk(Struct, frozen=True):
    """What the handlers of payments keep between batches: the shelf, and the merchants lately seen."""

    catalogue: Catalogue
    merchants: Merchants


class Needs(Struct, frozen=True):
    """Whose state a batch's payments ask for.

    drawing  the payers among `payers` who may draw on a line: all their lines are loaded, they share one cap
    wallets  the payers among `payers` whose wallets may be used
    counted  the payers among `payers` of whom a payment counts against the limits of the law
    """

    payers: Collection[UUID]
    merchants: Collection[UUID]
    drawing: Collection[UUID] = ()
    wallets: Collection[UUID] = ()
    counted: Collection[UUID] = ()


class Table:
    """What was loaded; `states` move on with each payment decided, and `rooms`, by campaign (`subsidies`).

    counted  the payers whose sums were loaded, and are written again
    cards, spends, uses  family cards, who pays with which, and what each payment took of it (`family`)
    """

    def __init__(
        self,
        catalogue: Catalogue,
        given: Given,
        states: dict[UUID, PayerState],
        counted: frozenset[UUID] = frozenset(),
    ) -> None:
        self.catalogue = catalogue
        self.given = given
        self.states = states
        self.counted = counted
        self._products: dict[date, Mapping[UUID, Product]] = {}
        self.rooms: dict[UUID, Room] = {}
        self.cards: dict[UUID, FamilyCard] = {}
        self.spends: dict[UUID, Spend] = {}
        self.uses: dict[UUID, Use] = {}

    def guard(self, payer_id: UUID) -> PersonGuard:
        """The locked row of a payer."""
        return self.states[payer_id].guard

    def products(self, on: date) -> Mapping[UUID, Product]:
        """The versions that the payers' lines draw by on a business date, by line. Commands of both sides of midnight
        share a batch: each lives by those of its own date.
        """
        found = self._products.get(on)
        if found is None:
            found = self._products[on] = {
                id_: self.catalogue.drawn_under(owned.line, on)
                for state in self.states.values()
                for id_, owned in state.lines.items()
            }
        return found

    def product(self, line_id: UUID | None, on: date) -> Product | None:
        """The version that a line draws by on a business date; None: there is no such line."""
        return self.products(on).get(line_id) if line_id is not None else None


async def load_table(batch: Batch, desk: Desk, needs: Needs) -> Table:
    """Load what is needed: two to four statements, whatever the number of payments. Unknown ids are absent."""
    guards: dict[UUID, PersonGuard] = {
        payer: batch.people[payer] for payer in needs.payers if payer in batch.people
    }
    found = await _merchants_of_book(batch, desk, needs.merchants)
    known = await load_known(batch.db, batch.bucket, guards, found)
    drawing = [payer for payer in needs.drawing if payer in guards]
    lines = await load_states_of_people(batch.db, batch.bucket, drawing) if drawing else {}
    available = await _wallets(batch, {payer: guards[payer] for payer in needs.wallets if payer in guards})
    counted = frozenset(payer for payer in needs.counted if payer in guards)
    sums = await load_sums(batch.db, batch.bucket, counted) if counted else {}
    owned: dict[UUID, dict[UUID, LineState]] = {}
    for id_, state in lines.items():
        owned.setdefault(state.line.person_id, {})[id_] = state
    states = {
        payer: PayerState(
            guard,
            available.get(payer, 0),
            owned.get(payer, NO_LINES),
            known.features[payer],
            sums.get(payer, NOTHING_PAID),
        )
        for payer, guard in guards.items()
    }
    policy = desk.catalogue.policies[batch.book.id]
    given = Given(policy, found, known.listed, desk.catalogue.limits)
    return Table(desk.catalogue, given, states, counted)


async def count_also(batch: Batch, table: Table, payers: Collection[UUID]) -> None:
    """Load the sums of more payers, before any payment is decided: found to count only when their orders were read."""
    missing = frozenset(payers & table.states.keys()) - table.counted
    if not missing:
        return
    sums = await load_sums(batch.db, batch.bucket, missing)
    table.counted |= missing
    for payer in missing:
        table.states[payer] = replace(table.states[payer], sums=sums.get(payer, NOTHING_PAID))


NO_LINES: Mapping[UUID, LineState] = {}


async def _merchants_of_book(batch: Batch, desk: Desk, ids: Collection[UUID]) -> dict[UUID, Merchant]:
    found = await desk.merchants.load(batch.db, ids)
    return {id_: merchant for id_, merchant in found.items() if merchant.book_id == batch.book.id}


async def _wallets(batch: Batch, guards: Mapping[UUID, PersonGuard]) -> dict[UUID, int]:
    """What each payer's wallet may still spend."""
    if not guards:
        return {}
    accounts = {account_id(guard.wallet_id, AccountKind.WALLET): payer for payer, guard in guards.items()}
    balances = await ledger.load_balances(batch.db, batch.bucket, list(accounts))
    return {accounts[id_]: balance.available_minor or 0 for id_, balance in balances.items()}
