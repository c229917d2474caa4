"""The consumer app (`/app`): pay, understand, repay."""

from wufeng.web.consumer import (
    apply,
    code,
    credit,
    family,
    friend,
    home,
    identity,
    line,
    me,
    openid,
    pay,
    plans,
    repay,
    rides,
    scan,
    sign_in,
    wallet,
)
from wufeng.web.paging import Page

PAGES: tuple[Page, ...] = (
    *sign_in.PAGES,
    *openid.PAGES,
    *home.PAGES,
    *me.PAGES,
    *identity.PAGES,
    *pay.PAGES,
    *code.PAGES,
    *scan.PAGES,
    *friend.PAGES,
    *family.PAGES,
    *rides.PAGES,
    *apply.PAGES,
    *credit.PAGES,
    *line.PAGES,
    *plans.PAGES,
    *repay.PAGES,
    *wallet.PAGES,
)
