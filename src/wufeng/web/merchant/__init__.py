"""merchant"""

from wufeng.web.paging import Page

PAGES: tuple[Page, ...] = ()
