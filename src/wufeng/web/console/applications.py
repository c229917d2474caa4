"""Applications that wait for a person's decision: the list, one with all that it was decided from, and the answer."""

from wufeng.base.errors import Code
from wufeng.base.ids import Prefix, decode
from wufeng.client import ApiProblem
from wufeng.credit.applications import queries
from wufeng.credit.applications.policy import shipped_application_policy
from wufeng.credit.applications.publishing import kept_application_policy
from wufeng.identity.people.queries import show_person
from wufeng.web.console.frame import DECIDING, reading, show
from wufeng.web.paging import Door, Reply, Visit, pages_of
from wufeng.web.texts import minor_of

A_PAGE = 50


async def waiting(visit: Visit) -> Reply:
    """Those that wait, the longest waiting first."""
    async with visit.services.database.read() as db:
        found = await queries.list_referred(
            reading(visit, db), shipped_application_policy(), visit.at, None, A_PAGE + 1
        )
    return await show(visit, "applications.html", applications=found[:A_PAGE], more=len(found) > A_PAGE)


async def application(visit: Visit) -> Reply:
    """One, whatever has become of it."""
    return await _show(visit)


async def decide(visit: Visit) -> Reply:
    """Offer a limit, or decline; sent twice it is one answer."""
    offers, limit_minor = visit.field("answer") == "offer", None
    if offers and (limit_minor := minor_of(visit.field("limit"), visit.book.currency)) is None:
        return await _show(visit, error="limit", status=422)
    if not visit.field("reason"):
        return await _show(visit, error="reason", status=422)
    try:
        await visit.api.applications.decide(
            visit.values["id"],
            reason=visit.field("reason"),
            limit_minor=limit_minor,
            idempotency_key=visit.key(),
        )
    except ApiProblem as problem:
        if problem.code not in (Code.INVALID_FIELD, Code.STATE_CONFLICT):
            raise
        pointers = {error.pointer for error in problem.errors}
        error = next(
            (name for name in ("limit", "reason") if any(name in one for one in pointers)), "refused"
        )
        return await _show(visit, error=error, detail=problem.detail, status=problem.status)
    return visit.go(f"/console/applications/{visit.values['id']}")


async def policy(visit: Visit) -> Reply:
    """A version of the policy, as it was when decisions named it."""
    async with visit.services.database.read() as db:
        kept = await kept_application_policy(db, visit.values["id"])
    return await show(visit, "application_policy.html", policy=kept)


async def _show(visit: Visit, error: str = "", detail: str = "", status: int = 200) -> Reply:
    application_id = visit.path_id(Prefix.APPLICATION, "application")
    policy_now = shipped_application_policy()
    async with visit.services.database.read() as db:
        read = reading(visit, db)
        found = await queries.load_application(read, application_id)
        view = queries.show_application(read, found, policy_now, visit.at)
        person = await show_person(db, visit.services.vault, visit.book, decode(Prefix.PERSON, view.person))
    product = visit.services.products.version(found.product, found.product_version)
    return await show(
        visit,
        "application.html",
        status=status,
        application=view,
        inputs=found.inputs,
        person=person,
        range=product.limit,
        history_days=policy_now.admission.history_days,
        may_decide=visit.caller.role in DECIDING,
        limit=visit.field("limit"),
        reason=visit.field("reason"),
        error=error,
        detail=detail,
    )


page = pages_of(Door.CONSOLE)

PAGES = (
    page("GET", "/console/applications", "console_applications", waiting),
    page("GET", "/console/applications/{id}", "console_application", application),
    page("GET", "/console/application-policies/{id}", "console_application_policy", policy),
    page("POST", "/console/applications/{id}/decide", "console_decide_application", decide),
)
