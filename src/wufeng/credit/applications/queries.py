"""What pages and the API read of applications and reviews. Nothing is locked."""

from collections import Counter
from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from wufeng.base.errors import not_found
from wufeng.credit.applications import store
from wufeng.credit.applications.commands import is_over
from wufeng.credit.applications.model import (
    Application,
    ApplicationPolicy,
    ApplicationStatus,
    Paper,
)
from wufeng.credit.applications.views import (
    ApplicationTermsView,
    ApplicationView,
    LineReviewView,
    view_application,
    view_consents,
    view_review,
    view_terms,
)
from wufeng.credit.lines.model import Line, LineStatus
from wufeng.credit.lines.store import load_lines_of_people
from wufeng.credit.products.model import Product
from wufeng.credit.queries import Reading


async def load_application(read: Reading, application_id: UUID) -> Application:
    """An application. Raises not_found; whose it is, is for the caller to look at."""
    bucket = read.book.bucket_of(application_id)
    found = await store.load_applications(read.db, bucket, [application_id])
    if application_id not in found:
        raise not_found("application")
    return found[application_id]


def show_application(
    read: Reading, found: Application, policy: ApplicationPolicy, at: datetime
) -> ApplicationView:
    """An application as the API shows it. An offer whose time has run out has lapsed, whatever its row says yet."""
    now = replace(found, status=ApplicationStatus.LAPSED) if is_over(found, at) else found
    product = read.products.version(found.product, found.product_version)
    return view_application(now, product, policy, read.language)


async def list_applications(
    read: Reading,
    person_id: UUID,
    policy: ApplicationPolicy,
    at: datetime,
    before: UUID | None = None,
    at_most: int = 100,
) -> list[ApplicationView]:
    """One page of a person's applications, the newest first."""
    bucket = read.book.bucket_of(person_id)
    found = await store.list_applications(read.db, bucket, person_id, before, at_most)
    return [show_application(read, one, policy, at) for one in found]


async def list_referred(
    read: Reading, policy: ApplicationPolicy, at: datetime, after: UUID | None = None, at_most: int = 100
) -> list[ApplicationView]:
    """One page of the applications of a book that wait for a person's decision, the oldest first."""
    found = [
        one
        for bucket in read.book.buckets
        for one in await store.list_referred(read.db, bucket, after, at, at_most)
    ]
    found.sort(key=lambda one: one.id)
    return [show_application(read, one, policy, at) for one in found[:at_most]]


async def list_reviews(
    read: Reading, line: Line, policy: ApplicationPolicy, before: UUID | None = None, at_most: int = 100
) -> list[LineReviewView]:
    """One page of a line's monthly reviews, the newest first."""
    bucket = read.book.bucket_of(line.id)
    found = await store.list_reviews(read.db, bucket, line.id, before, at_most)
    return [view_review(one, line.currency, policy, read.language) for one in found]


async def products_to_open(read: Reading, person_id: UUID) -> list[Product]:
    """The products in force that a person may still open a line of, by id."""
    bucket = read.book.bucket_of(person_id)
    own = await load_lines_of_people(read.db, bucket, [person_id])
    held = Counter(line.product for line in own if line.status is not LineStatus.CLOSED)
    return [
        product
        for product in read.products.offered(read.on)
        if product.currency == read.book.currency and held[product.id] < product.opening.lines_max
    ]


async def show_terms(read: Reading, person_id: UUID, policy: ApplicationPolicy) -> ApplicationTermsView:
    """What a person may apply for, and what they are asked to agree to."""
    products = await products_to_open(read, person_id)
    return ApplicationTermsView(
        policy=policy.name,
        consents=view_consents(policy, read.language),
        products=tuple(view_terms(product, read.on, read.language) for product in products),
    )


def sheet_of(found: Application) -> Paper:
    """The sheet of an application. Raises not_found where nothing was offered."""
    if found.sheet is None:
        raise not_found("sheet")
    return found.sheet


def contract_of(found: Application) -> Paper:
    """The contract of an application. Raises not_found where nothing was offered."""
    if found.contract is None:
        raise not_found("contract")
    return found.contract
