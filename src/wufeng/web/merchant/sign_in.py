"""Sign in with an API key of the merchant's, sign out.

The browser should not keep a key that runs a shop's server: where the key may make keys, the portal gets one of its
own with the few scopes it needs, which ends at sign-out.
"""

from wufeng.base.errors import Code, Problem
from wufeng.base.ids import Prefix, encode
from wufeng.identity import Caller, CallerKind
from wufeng.identity.keys.commands import withdraw_key
from wufeng.identity.keys.model import Scope
from wufeng.identity.keys.queries import list_keys
from wufeng.web.paging import Door, Reply, Visit, pages_of

PORTAL_KEY = "merchant portal, signed in"
"""The name of the keys that the portal makes: only these end at sign-out."""

PORTAL_SCOPES = frozenset({Scope.READ, Scope.ORDERS, Scope.PAYMENTS, Scope.REFUNDS})


async def ask_key(visit: Visit) -> Reply:
    """The way in."""
    caller = visit.caller_or_none
    if caller is not None and caller.kind is CallerKind.MERCHANT:
        return visit.go("/merchant")
    return _ask(visit)


async def check_key(visit: Visit) -> Reply:
    """Look at the key; keep a smaller one of its own, or the key itself where it cannot make one."""
    pasted = visit.field("api_key")
    try:
        caller = await visit.services.authenticator.authenticate(f"Bearer {pasted}")
    except Problem as problem:
        if problem.code is not Code.UNAUTHENTICATED:
            raise
        return _ask(visit, visit.gettext("This key is unknown, or it was revoked. Copy it once more, whole."))
    refusal = _refusal(visit, caller)
    if refusal:
        return _ask(visit, refusal)
    visit.set_cookie("wufeng_book", caller.book.name)
    visit.set_cookie(Door.MERCHANT.cookie, await _portal_key(visit, pasted, caller))
    return visit.go(visit.onward())


async def sign_out(visit: Visit) -> Reply:
    """Forget the key; one that the portal made ends for everybody.

    Not by the API: a key without the scope `keys` may not end others, but whoever holds one may always end itself.
    """
    services, caller = visit.services, visit.caller
    async with services.database.read() as db:
        keys = await list_keys(db, visit.book, caller.id, at_most=1_000)
    own = encode(Prefix.API_KEY, caller.credential_id)
    if any(key.id == own and key.name == PORTAL_KEY for key in keys):
        await withdraw_key(
            services.database, services.ids, caller, caller.credential_id, visit.at, visit.request_id
        )
    visit.drop_cookie(Door.MERCHANT.cookie)
    return visit.go("/merchant/sign-in")


async def _portal_key(visit: Visit, pasted: str, caller: Caller) -> str:
    if Scope.KEYS not in caller.scopes:
        return pasted
    scopes = sorted(PORTAL_SCOPES & caller.scopes)
    key = await visit.api.as_caller(pasted).api_keys.create(name=PORTAL_KEY, scopes=scopes)
    assert key.secret is not None, "a new key shows its secret"
    return key.secret


def _refusal(visit: Visit, caller: Caller) -> str:
    if caller.kind is CallerKind.PLATFORM:
        return visit.gettext("This is a key of the operator's server. The portal takes a key of a merchant.")
    if caller.kind is not CallerKind.MERCHANT:
        return visit.gettext("This signs a person in, not a merchant. The portal takes a key of a merchant.")
    if Scope.READ not in caller.scopes:
        return visit.gettext("This key may not read. The portal needs a key with the scope “read”.")
    return ""


def _ask(visit: Visit, error: str = "") -> Reply:
    return visit.show(
        "merchant/sign_in.html",
        status=422 if error else 200,
        error=error,
        lost=visit.field("lost") == "1",
        next=visit.onward(),
    )


page = pages_of(Door.MERCHANT)

PAGES = (
    page("GET", "/merchant/sign-in", "merchant_sign_in", ask_key),
    page("POST", "/merchant/sign-in", "merchant_sign_in_send", check_key),
    page("POST", "/merchant/sign-out", "merchant_sign_out", sign_out),
)
