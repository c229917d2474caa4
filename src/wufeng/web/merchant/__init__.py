"""The merchant portal (`/merchant`): take a payment, follow an order, give money back, run campaigns."""

from wufeng.web.merchant import campaigns, orders, sign_in, take, today
from wufeng.web.paging import Page

PAGES: tuple[Page, ...] = (*sign_in.PAGES, *today.PAGES, *take.PAGES, *orders.PAGES, *campaigns.PAGES)
