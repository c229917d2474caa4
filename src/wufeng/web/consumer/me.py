"""Me: devices, passkeys, sessions, the PIN; what concerns the person and not their money."""

from urllib.parse import quote

from wufeng.base.errors import Code
from wufeng.base.ids import Prefix, encode
from wufeng.client import ApiProblem
from wufeng.identity.devices.queries import list_devices
from wufeng.identity.passkeys.queries import list_passkeys
from wufeng.identity.people.queries import get_person
from wufeng.identity.pins.queries import has_pin
from wufeng.identity.sessions.model import AuthLevel
from wufeng.identity.sessions.queries import list_sessions
from wufeng.web.consumer.devices import device_name
from wufeng.web.consumer.passkeys import party_of, say, send_options
from wufeng.web.paging import Door, Reply, Visit, pages_of


async def me(visit: Visit) -> Reply:
    """Who one is here, what proves it, and where one is signed in."""
    caller, book = visit.caller, visit.book
    async with visit.services.database.read() as db:
        person = await get_person(db, visit.services.vault, book, caller.id)
        passkeys = await list_passkeys(db, book, caller.id)
        devices = await list_devices(db, book, caller.id, caller.device_id)
        sessions = await list_sessions(db, book, caller.id, caller.session_id, visit.at)
        pin_set = await has_pin(db, book, caller.id)
    return visit.show(
        "consumer/me.html",
        person=person,
        passkeys=passkeys,
        devices=devices,
        sessions=sessions,
        pin_set=pin_set,
    )


async def end_session(visit: Visit) -> Reply:
    """Sign out in one place."""
    await visit.api.sessions.end(encode(Prefix.SESSION, visit.path_id(Prefix.SESSION, "session")))
    return visit.go("/app/me")


async def end_other_sessions(visit: Visit) -> Reply:
    """Sign out everywhere but here."""
    await visit.api.sessions.end_others()
    return visit.go("/app/me")


async def revoke_device(visit: Visit) -> Reply:
    """Trust a device no more."""
    await visit.api.devices.delete(encode(Prefix.DEVICE, visit.path_id(Prefix.DEVICE, "device")))
    return visit.go("/app/me")


async def new_passkey(visit: Visit) -> Reply:
    """Add a passkey: first the PIN, then the button that has one made."""
    return await _ask_passkey(visit)


async def step_up(visit: Visit) -> Reply:
    """Prove the PIN, so that a passkey may be added; the browser gets the session's new token."""
    try:
        session = await visit.api.sessions.step_up(pin=visit.field("pin"))
    except ApiProblem as problem:
        if problem.code not in (Code.CONFIRMATION_FAILED, Code.INVALID_FIELD):
            raise
        return await _ask_passkey(visit, problem)
    assert session.token is not None, "a session that was stepped up shows its token"
    visit.set_cookie(Door.CONSUMER.cookie, session.token)
    return visit.go(f"/app/me/passkey?next={quote(visit.onward('/app/me'), safe='/')}")


async def ask_authenticator(visit: Visit) -> Reply:
    """What an authenticator is asked in order to make a passkey."""
    try:
        return send_options(await visit.api.passkeys.challenge())
    except ApiProblem as problem:
        if problem.code is Code.STATE_CONFLICT:
            return say(visit.gettext("You have as many passkeys as one person may have. Delete one first."))
        if problem.code is Code.FORBIDDEN:
            return say(visit.gettext("Too much time has passed. Load the page again."))
        raise


async def keep_passkey(visit: Visit) -> Reply:
    """Keep the passkey that was made."""
    try:
        await visit.api.passkeys.create(answer=visit.field("passkey"), name=visit.field("name"))
    except ApiProblem as problem:
        if problem.code not in (Code.CONFIRMATION_FAILED, Code.INVALID_FIELD, Code.STATE_CONFLICT):
            raise
        return await _ask_passkey(visit, problem)
    return visit.go(visit.onward("/app/me"))


async def rename_passkey(visit: Visit) -> Reply:
    """Call a passkey something else."""
    passkey = encode(Prefix.PASSKEY, visit.path_id(Prefix.PASSKEY, "passkey"))
    await visit.api.passkeys.rename(passkey, name=visit.field("name"))
    return visit.go("/app/me")


async def delete_passkey(visit: Visit) -> Reply:
    """Delete a passkey."""
    await visit.api.passkeys.delete(encode(Prefix.PASSKEY, visit.path_id(Prefix.PASSKEY, "passkey")))
    return visit.go("/app/me")


async def _ask_passkey(visit: Visit, problem: ApiProblem | None = None) -> Reply:
    level = visit.caller.auth_level
    async with visit.services.database.read() as db:
        pin_set = await has_pin(db, visit.book, visit.caller.id)
    return visit.show(
        "consumer/passkey.html",
        status=problem.status if problem is not None else 200,
        stepped_up=level is not None and level.rank >= AuthLevel.PIN.rank,
        pin_set=pin_set,
        party=party_of(visit),
        origin=visit.services.settings.public_origin,
        name=visit.field("name") or device_name(visit),
        next=visit.onward("/app/me"),
        failed=problem is not None,
        tries_left=problem.extra.get("tries_left") if problem is not None else None,
    )


page = pages_of(Door.CONSUMER)

PAGES = (
    page("GET", "/app/me", "app_me", me),
    page("POST", "/app/me/sessions/{id}/end", "app_end_session", end_session),
    page("POST", "/app/me/sessions/end", "app_end_others", end_other_sessions),
    page("POST", "/app/me/devices/{id}/revoke", "app_revoke_device", revoke_device),
    page("GET", "/app/me/passkey", "app_new_passkey", new_passkey),
    page("POST", "/app/me/passkey/pin", "app_step_up", step_up),
    page("POST", "/app/me/passkey/challenge", "app_ask_passkey", ask_authenticator),
    page("POST", "/app/me/passkey", "app_keep_passkey", keep_passkey),
    page("POST", "/app/me/passkeys/{id}/name", "app_rename_passkey", rename_passkey),
    page("POST", "/app/me/passkeys/{id}/delete", "app_delete_passkey", delete_passkey),
)
