"""One decision, explained: outcome, reasons, rules, what was known, and what decided."""

from datetime import date

from msgspec import UNSET

from wufeng.base.errors import not_found
from wufeng.base.ids import Prefix
from wufeng.payments import Reader, load_payment, show_payments
from wufeng.risk import load_decision, view_for_staff
from wufeng.risk.views import FeaturesView
from wufeng.web.console.frame import merchant_names, show
from wufeng.web.paging import Door, Reply, Visit, pages_of

RECENT_SHOWN = 8


async def decision(visit: Visit) -> Reply:
    """All that is kept of one decision, and the payment that it decided."""
    decision_id = visit.path_id(Prefix.DECISION, "decision")
    services, book = visit.services, visit.book
    async with services.database.read() as db:
        found = await load_decision(db, book.bucket_of(decision_id), decision_id)
        if found is None:
            raise not_found("decision")
        payment = await load_payment(db, book, found.payment_id)
        assert payment is not None, "what was decided is kept"
        views = await show_payments(db, services.catalogue, book, [payment], Reader.PLATFORM, visit.language)
        names = await merchant_names(visit, db, [views[0].merchant])
    view = view_for_staff(found, visit.language)
    assert view.features is not UNSET and view.rules is not UNSET and view.versions is not UNSET
    policy = services.catalogue.policies.get(book.id)
    features = view.features
    return await show(
        visit,
        "decision.html",
        decision=view,
        payment=views[0],
        merchant=names[views[0].merchant],
        features=features,
        feature_day=date.fromordinal(features.day_on) if features.day_on else None,
        recent=_recent(features, round(found.at.timestamp())),
        rules=view.rules,
        policy=policy if policy is not None and policy.name == view.versions.policy else None,
        versions=view.versions,
    )


def _recent(features: FeaturesView, at_s: int) -> list[tuple[int, int]]:
    """The latest payments that were counted, the newest first: seconds before, and the amount."""
    return [(at_s - one.at_s, one.amount_minor) for one in reversed(features.recent[-RECENT_SHOWN:])]


page = pages_of(Door.CONSOLE)

PAGES = (page("GET", "/console/decisions/{id}", "console_decision", decision),)
