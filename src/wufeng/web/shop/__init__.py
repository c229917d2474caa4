"""The demo's shop of an outsider (`/shop`): it knows the public API and its own merchant key, nothing else of us."""

from wufeng.web.paging import Page
from wufeng.web.shop import pages

PAGES: tuple[Page, ...] = pages.PAGES
