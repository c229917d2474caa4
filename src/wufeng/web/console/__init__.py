"""The console (`/console`): how the system does, one person, one decision, the ledger, the clock."""

from wufeng.web.console import (
    account,
    applications,
    clock,
    closes,
    decision,
    journals,
    overview,
    person,
    products,
    search,
    sign_in,
)
from wufeng.web.paging import Page

PAGES: tuple[Page, ...] = (
    *sign_in.PAGES,
    *overview.PAGES,
    *search.PAGES,
    *person.PAGES,
    *account.PAGES,
    *decision.PAGES,
    *applications.PAGES,
    *journals.PAGES,
    *products.PAGES,
    *closes.PAGES,
    *clock.PAGES,
)
