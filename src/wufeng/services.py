"""What routes and pages need of the rest: built by the composition root, the same for every request of a process."""

from collections.abc import Awaitable, Callable, Mapping

from msgspec import Struct

from wufeng.base.books import Book, Books, Mode
from wufeng.base.clock import Clock
from wufeng.base.config import Settings
from wufeng.base.database import Database
from wufeng.base.followers import Followers
from wufeng.base.ids import IdMaker
from wufeng.base.lanes import Lanes
from wufeng.base.metrics import Metrics
from wufeng.base.webhooks import Expand, Reach, SecretSeal
from wufeng.credit import ClosedDay, Products
from wufeng.identity import Authenticator, Merchants, Vault
from wufeng.identity.codes.model import SignUp
from wufeng.identity.codes.sms import Sms
from wufeng.identity.documents.verifier import Verifier
from wufeng.payments import Catalogue
from wufeng.payments.checkout.asked import AskedOrders
from wufeng.payments.pay_codes.resolving import PayCodes


class Services(Struct, frozen=True, kw_only=True):
    """The parts of a running process.

    turn_days   turns a test book's clock forward by days, closing each; answers what each close did
    sms         by mode; a mode without one cannot send codes
    verifiers   by mode; a mode without one cannot check documents outside
    """

    settings: Settings
    clock: Clock
    database: Database
    books: Books
    ids: IdMaker
    vault: Vault
    seal: SecretSeal
    lanes: Lanes
    followers: Followers
    authenticator: Authenticator
    merchants: Merchants
    products: Products
    catalogue: Catalogue
    asked_orders: AskedOrders
    pay_codes: PayCodes
    metrics: Metrics
    expand: Expand
    event_types: frozenset[str]
    reach: Reach
    sms: Mapping[Mode, Sms]
    verifiers: Mapping[Mode, Verifier]
    sign_up: SignUp
    turn_days: Callable[[Book, int], Awaitable[list[ClosedDay]]]

    def public_book(self, name: str | None) -> Book | None:
        """The book that a call without a credential is for: the one it names, else the first."""
        if name is None:
            return self.books[min(self.books)] if self.books else None
        return next((book for book in self.books.values() if book.name == name), None)
