"""Staff sign in, into one of their books, and out."""

from collections.abc import Sequence

from wufeng.base.errors import Code
from wufeng.base.ids import Prefix, encode
from wufeng.client import ApiProblem
from wufeng.web.paging import Door, Reply, Visit, pages_of


async def ask(visit: Visit) -> Reply:
    """Log-in and password."""
    return _ask(visit)


async def send(visit: Visit) -> Reply:
    """Open a staff session; the browser keeps its token. Who works in several books says in which."""
    login, book = visit.field("login"), visit.field("book") or None
    try:
        session = await visit.api.staff.sign_in(
            login=login, password=visit.form.get("password", ""), book=book
        )
    except ApiProblem as problem:
        if problem.code is Code.UNAUTHENTICATED:
            return _ask(
                visit, visit.gettext("The log-in or the password is wrong, or there were too many tries.")
            )
        if problem.code is not Code.INVALID_FIELD:
            raise
        if any(error.pointer == "/book" for error in problem.errors):
            message = visit.gettext("You work in several books. Choose one, and type the password again.")
            return _ask(visit, message, names=sorted(book.name for book in visit.services.books.values()))
        return _ask(visit, visit.gettext("Type your log-in and your password."))
    assert session.token is not None, "a new session shows its token"
    visit.set_cookie(Door.CONSOLE.cookie, session.token, 12 * 3600)
    return visit.go(_next(visit))


async def sign_out(visit: Visit) -> Reply:
    """End this session."""
    session_id = visit.caller.session_id
    assert session_id is not None, "a member of staff has a session"
    await visit.api.staff.sign_out(encode(Prefix.SESSION, session_id))
    visit.drop_cookie(Door.CONSOLE.cookie)
    return visit.go("/console/sign-in")


def _ask(visit: Visit, error: str = "", names: Sequence[str] = ()) -> Reply:
    return visit.show(
        "console/sign_in.html",
        status=422 if error else 200,
        next=_next(visit),
        login=visit.field("login"),
        chosen=visit.field("book"),
        lost=visit.field("lost") == "1",
        names=names,
        error=error,
    )


def _next(visit: Visit) -> str:
    """Where the visitor came from; of the figures that renew themselves, the page that they stand on."""
    path = visit.onward()
    return "/console" if path == "/console/figures" else path


page = pages_of(Door.CONSOLE)

PAGES = (
    page("GET", "/console/sign-in", "console_sign_in", ask),
    page("POST", "/console/sign-in", "console_sign_in_send", send),
    page("POST", "/console/sign-out", "console_sign_out", sign_out),
)
