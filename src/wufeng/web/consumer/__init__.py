"""The consumer app (`/app`): pay, understand, repay."""

from wufeng.web.consumer import apply, credit, home, line, pay, plans, repay, sign_in, wallet
from wufeng.web.paging import Page

PAGES: tuple[Page, ...] = (
    *sign_in.PAGES,
    *home.PAGES,
    *pay.PAGES,
    *apply.PAGES,
    *credit.PAGES,
    *line.PAGES,
    *plans.PAGES,
    *repay.PAGES,
    *wallet.PAGES,
)
