"""The merchant portal (`/merchant`): take a payment, follow an order, give money back, run campaigns."""

from wufeng.web.merchant import campaigns, codes, orders, sign_in, take, till, today
from wufeng.web.paging import Page

PAGES: tuple[Page, ...] = (
    *sign_in.PAGES,
    *today.PAGES,
    *take.PAGES,
    *till.PAGES,
    *codes.PAGES,
    *orders.PAGES,
    *campaigns.PAGES,
)
