"""Sign in by the operator's own provider: to it, and back."""

import base64
import binascii

import structlog

from wufeng.base.errors import Code, Problem, not_found
from wufeng.identity.openid.commands import begin_sign_in, finish_sign_in, read_sign_in
from wufeng.identity.openid.model import LASTS, Back, Browser, Refused, SignIn
from wufeng.identity.openid.provider import NotSignedIn, Provider
from wufeng.web.consumer.devices import device_name, device_proof, keep_device
from wufeng.web.paging import Door, Reply, Visit, local_path, pages_of

log = structlog.get_logger("wufeng.web")

COOKIE = "wufeng_openid"

_BEGUN_ELSEWHERE = frozenset({Refused.NOT_BEGUN, Refused.TOO_LATE, Refused.CAME_TWICE})
_NO_ACCOUNT = frozenset({Refused.UNKNOWN_PERSON, Refused.NO_PHONE})


async def start(visit: Visit) -> Reply:
    """Leave for the provider of the visit's book; `?book=` names another one."""
    named = visit.services.public_book(visit.field("book") or None) if visit.field("book") else visit.book
    provider = visit.site.providers.of(named) if named is not None else None
    if named is None or provider is None:
        raise not_found("provider")
    services = visit.services
    try:
        url, kept = await begin_sign_in(
            provider, services.vault, services.ids, named, visit.onward(), services.clock
        )
    except NotSignedIn as error:
        return _explain(visit, provider, error.refused)
    visit.set_cookie(COOKIE, base64.urlsafe_b64encode(kept).decode(), int(LASTS.total_seconds()))
    return visit.leave(url)


async def back(visit: Visit) -> Reply:
    """Back from the provider: a session, and on to where the person was going; or why not."""
    sign_in, services = _kept(visit), visit.services
    visit.drop_cookie(COOKIE)
    book = services.books.get(sign_in.book_id) if sign_in is not None else visit.book
    provider = visit.site.providers.of(book) if book is not None else None
    if book is None or provider is None:
        raise not_found("provider")
    came = Back(visit.field("state"), visit.field("code"), visit.field("error"), visit.field("iss"))
    browser = Browser(device_name(visit), device_proof(visit))
    visit.in_book(book)
    try:
        opened = await finish_sign_in(
            services.lanes, services.vault, provider, book, sign_in, came, services.clock, browser
        )
    except NotSignedIn as error:
        return _explain(visit, provider, error.refused, sign_in)
    except Problem as problem:
        if problem.code is not Code.FORBIDDEN:
            raise
        return _explain(visit, provider, Refused.UNKNOWN_PERSON, sign_in)
    assert sign_in is not None, "without one it is refused"
    visit.set_cookie(Door.CONSUMER.cookie, opened.token)
    keep_device(visit, opened.device_proof)
    visit.set_cookie("wufeng_book", book.name)
    return visit.go(local_path(sign_in.onward, Door.CONSUMER.home))


def _kept(visit: Visit) -> SignIn | None:
    try:
        sealed = base64.b64decode(visit.cookies.get(COOKIE, ""), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return read_sign_in(visit.services.vault, sealed)


def _explain(visit: Visit, provider: Provider, refused: Refused, sign_in: SignIn | None = None) -> Reply:
    log.warning("not signed in by the provider", refused=refused.value, request_id=visit.request_id)
    why = "again" if refused in _BEGUN_ELSEWHERE else "account" if refused in _NO_ACCOUNT else refused.value
    onward = sign_in.onward if sign_in is not None else visit.onward()
    return visit.show("consumer/openid.html", 403, provider=provider.setting.name, why=why, onward=onward)


page = pages_of(Door.CONSUMER)

PAGES = (
    page("GET", "/app/openid/start", "app_openid", start),
    page("GET", "/app/openid/callback", "app_openid_back", back),
)
