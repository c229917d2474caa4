"""Server-rendered pages: the consumer app, the merchant portal, the console, and the demo's shop of an outsider."""

from collections.abc import Mapping
from typing import Any

import httpx

from wufeng.client import Patience, Wufeng
from wufeng.identity import PAGE_RULES
from wufeng.identity.openid.provider import Providers
from wufeng.identity.places import IN_PROCESS
from wufeng.services import Services
from wufeng.web import common, console, consumer, demo, design, embed, merchant, shop
from wufeng.web.notices import Notices
from wufeng.web.paging import Page, Pages, Site
from wufeng.web.render import Renderer
from wufeng.web.texts import LANGUAGES

__all__ = ["PAGES", "SEGMENTS", "create_web"]

PAGES: tuple[Page, ...] = (
    *common.PAGES,
    *design.PAGES,
    *embed.PAGES,
    *demo.PAGES,
    *consumer.PAGES,
    *merchant.PAGES,
    *shop.PAGES,
    *console.PAGES,
)
"""Every page. The matrix of who may see what is made from it."""

SEGMENTS = frozenset(page.path.split("/")[1] for page in PAGES)
"""The first parts of the pages' addresses; every other address is the API's."""

_PATIENCE = Patience(deadline_s=8.0, attempt_s=8.0)
"""A person waits: what is not known by then is shown as not known."""


def create_web(services: Services, api: Any, openid: httpx.AsyncBaseTransport | None = None) -> Pages:
    """The pages. `api` is the API's ASGI application, called in this process.

    openid  what carries calls of OpenID providers instead of a network: a test provider in this process
    Does not start with a page that no access rule names.
    """
    unruled = [page.operation for page in PAGES if page.operation not in PAGE_RULES]
    assert not unruled, f"pages without an access rule: {', '.join(unruled)}"
    callers: Mapping[str, Wufeng] = {
        language: Wufeng(
            "http://wufeng",
            language=language,
            patience=_PATIENCE,
            transport=httpx.ASGITransport(app=api, client=(IN_PROCESS, 0)),
        )
        for language in LANGUAGES
    }
    site = Site(
        services=services,
        renderer=Renderer(common.ASSETS),
        api=callers,
        notices=Notices(),
        providers=Providers(services.settings, services.clock, openid),
    )
    return Pages(site, PAGES)
