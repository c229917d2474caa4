"""Welcome, sign in by a one-time code, set the PIN, sign out."""

from wufeng.base.books import Mode
from wufeng.base.errors import Code, Problem
from wufeng.base.ids import Prefix, encode
from wufeng.client import ApiProblem, Session
from wufeng.identity.codes.queries import list_messages
from wufeng.identity.people.queries import phone_of_person
from wufeng.identity.vault import Private
from wufeng.web.consumer.devices import device_name, device_proof, keep_device
from wufeng.web.consumer.passkeys import party_of, send_options
from wufeng.web.paging import Door, Reply, Visit, pages_of


async def welcome(visit: Visit) -> Reply:
    """What this is, and the way in. `?book=` chooses among the installation's books."""
    named = visit.field("book")
    if named and visit.services.public_book(named) is not None:
        visit.set_cookie("wufeng_book", named)
        return visit.go("/app")
    return visit.go("/app") if visit.caller_or_none is not None else _ask_phone(visit)


async def ask_phone(visit: Visit) -> Reply:
    """The first step: the phone."""
    return _ask_phone(visit)


async def send_code(visit: Visit) -> Reply:
    """Send a code, then ask for it."""
    phone = _with_country(visit.field("phone"))
    try:
        await visit.api.sessions.send_code(phone=phone)
    except ApiProblem as problem:
        if problem.code not in (Code.INVALID_FIELD, Code.RATE_LIMITED):
            raise
        return _ask_phone(visit, error=_wrong_phone(visit, problem))
    return await _ask_code(visit, phone)


async def check_code(visit: Visit) -> Reply:
    """Open a session by the code; the browser keeps its token."""
    phone = visit.field("phone")
    try:
        session = await visit.api.sessions.create(
            phone=phone,
            code=visit.field("code"),
            device=device_name(visit),
            device_proof=device_proof(visit),
        )
    except ApiProblem as problem:
        if problem.code is Code.FORBIDDEN:
            return _ask_phone(visit, error=visit.gettext("This account cannot sign in here."))
        if problem.code not in (Code.CONFIRMATION_FAILED, Code.INVALID_FIELD):
            raise
        return await _ask_code(visit, phone, tries_left=problem.extra.get("tries_left"), wrong=True)
    return _signed_in(visit, session)


async def ask_passkey(visit: Visit) -> Reply:
    """What a passkey is asked in order to sign in."""
    return send_options(await visit.api.as_caller(None).sessions.challenge())


async def check_passkey(visit: Visit) -> Reply:
    """Open a session by a passkey's answer."""
    try:
        session = await visit.api.as_caller(None).sessions.create_by_passkey(
            passkey=visit.field("passkey"), device=device_name(visit), device_proof=device_proof(visit)
        )
    except ApiProblem as problem:
        if problem.code is Code.FORBIDDEN:
            return _ask_phone(visit, error=visit.gettext("This account cannot sign in here."))
        if problem.code not in (Code.CONFIRMATION_FAILED, Code.INVALID_FIELD):
            raise
        return _ask_phone(visit, error=visit.gettext("The passkey was not accepted. Sign in with a code."))
    return _signed_in(visit, session)


def _signed_in(visit: Visit, session: Session) -> Reply:
    assert session.token is not None, "a new session shows its token"
    visit.set_cookie(Door.CONSUMER.cookie, session.token)
    keep_device(visit, session.device_proof)
    return visit.go(visit.onward())


async def ask_pin(visit: Visit) -> Reply:
    """Explain the PIN, and offer to send a code for it."""
    return visit.show("consumer/pin.html", sent=False, error="", test_code=None, next=visit.onward())


async def send_pin_code(visit: Visit) -> Reply:
    """Send the code that allows a PIN to be set."""
    return await _send_pin_code(visit)


async def set_pin(visit: Visit) -> Reply:
    """Set the PIN. It was typed twice, since it cannot be seen."""
    pin = visit.field("pin")
    if pin != visit.field("again"):
        return await _pin_again(visit, visit.gettext("The two PINs differ."))
    person_id = encode(Prefix.PERSON, visit.caller.id)
    try:
        await visit.api.people.set_pin(person_id, pin=pin, code=visit.field("code"))
    except ApiProblem as problem:
        if problem.code is Code.CONFIRMATION_FAILED:
            return await _pin_again(visit, visit.gettext("The code is wrong or too old."))
        if problem.code is Code.INVALID_FIELD:
            message = visit.gettext(
                "This PIN is guessed too easily. Choose six digits without a run or a repetition, that are no "
                "well-known number and not the end of your phone number."
            )
            return await _pin_again(visit, message)
        raise
    return visit.go(visit.onward())


async def sign_out(visit: Visit) -> Reply:
    """End this session."""
    session_id = visit.caller.session_id
    assert session_id is not None, "a person has a session"
    await visit.api.sessions.end(encode(Prefix.SESSION, session_id))
    visit.drop_cookie(Door.CONSUMER.cookie)
    return visit.go("/app/welcome")


def _ask_phone(visit: Visit, error: str = "") -> Reply:
    return visit.show(
        "consumer/welcome.html",
        status=422 if error else 200,
        next=visit.onward(),
        lost=visit.field("lost") == "1",
        phone=visit.field("phone"),
        party=party_of(visit),
        error=error,
    )


async def _ask_code(visit: Visit, phone: str, *, wrong: bool = False, tries_left: object = None) -> Reply:
    return visit.show(
        "consumer/code.html",
        status=403 if wrong else 200,
        phone=phone,
        next=visit.onward(),
        wrong=wrong,
        tries_left=tries_left,
        test_code=await shown_code(visit, phone, "sign_in"),
    )


async def _send_pin_code(visit: Visit, error: str = "") -> Reply:
    phone = await own_phone(visit)
    await visit.api.sessions.send_code(phone=phone, purpose="pin")
    return await _pin_again(visit, error)


async def _pin_again(visit: Visit, error: str) -> Reply:
    return visit.show(
        "consumer/pin.html",
        status=422 if error else 200,
        sent=True,
        error=error,
        next=visit.onward(),
        test_code=await shown_code(visit, await own_phone(visit), "pin"),
    )


async def own_phone(visit: Visit) -> str:
    """The visitor's own phone, to send them a code."""
    async with visit.services.database.read() as db:
        phone = await phone_of_person(db, visit.services.vault, visit.book, visit.caller.id)
    if phone is None:
        raise Problem(Code.STATE_CONFLICT, "There is no phone.")
    return phone.text


async def shown_code(visit: Visit, phone: str, purpose: str) -> str | None:
    """In a test book nothing is sent: the code that would have been is shown beside the field."""
    if visit.book.mode is not Mode.TEST:
        return None
    services = visit.services
    async with services.database.read() as db:
        found = await list_messages(db, services.vault, visit.book, Private(phone), None, 5)
    return next((message.code for message in found if message.purpose == purpose), None)


def _wrong_phone(visit: Visit, problem: ApiProblem) -> str:
    if problem.code is Code.RATE_LIMITED:
        return visit.gettext("Too many codes were sent to this phone. Try again in an hour.")
    return visit.gettext("This is not a phone number. With its country: +86 138 0013 8000.")


def _with_country(phone: str) -> str:
    """A Chinese mobile number is mostly typed without its country."""
    digits = phone.replace(" ", "").replace("-", "")
    return f"+86{digits}" if len(digits) == 11 and digits.startswith("1") and digits.isdigit() else digits


page = pages_of(Door.CONSUMER)

PAGES = (
    page("GET", "/app/welcome", "app_welcome", welcome),
    page("GET", "/app/sign-in", "app_sign_in", ask_phone),
    page("POST", "/app/sign-in", "app_send_code", send_code),
    page("POST", "/app/sign-in/code", "app_check_code", check_code),
    page("POST", "/app/sign-in/passkey/challenge", "app_sign_in_challenge", ask_passkey),
    page("POST", "/app/sign-in/passkey", "app_sign_in_passkey", check_passkey),
    page("GET", "/app/pin", "app_pin", ask_pin),
    page("POST", "/app/pin/code", "app_pin_code", send_pin_code),
    page("POST", "/app/pin", "app_set_pin", set_pin),
    page("POST", "/app/sign-out", "app_sign_out", sign_out),
)
