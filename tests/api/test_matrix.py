"""S1: every route × every kind of caller × {own, another's, absent, malformed}, by the table of access alone.

Another's object is told like an absent one, to the byte but for the request's id; a caller who may not call at
all hears the same whatever it names. A route without a case here fails: say what its object is, and how it is
asked.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

import httpx
import pytest
from msgspec import Struct, json
from msgspec.structs import replace

from wufeng import ledger
from wufeng.api import ROUTES
from wufeng.api.routing import Route
from wufeng.app import Background, Draft, Founded, found, opened
from wufeng.base.books import Mode
from wufeng.base.clock import FixedClock
from wufeng.base.config import Settings
from wufeng.identity import RULES, Rule
from wufeng.identity.callers import CallerKind
from wufeng.identity.sessions.model import AuthLevel

from .conftest import NOON, PIN, Api, Fill, fill_wallets
from .matrix import CONSENTS, Who, World

Fields = Callable[[str, Who, World], dict[str, Any]]
DEFINITE = frozenset({200, 201, 202, 402, 409, 422})
"""What an allowed call of one's own may be answered: it was heard, whatever became of it."""
PERSON, MERCHANT = CallerKind.PERSON, CallerKind.MERCHANT


def nothing(id_: str, who: Who, world: World) -> dict[str, Any]:
    return {}


class Case(Struct, frozen=True, kw_only=True):
    """How a route is asked.

    of       kind of the object that it is about; None: it is about none, or the caller's own of a kind
    where    where the object is named: path, body, query
    fill     body or query, from the object's id
    fresh    the call ends its object: each own cell gets one of its own
    missing  statuses for another's and an absent object
    anyones  callers to whom no such object is another's: a person may pay any merchant's order
    turn     own cells run in this order: what ends the caller comes last; -1: before all other cells, for the answer
             tells of each route that was asked, and grows
    """

    of: str | None = None
    where: str = "path"
    fill: Fields = nothing
    fresh: bool = False
    missing: frozenset[int] = frozenset({404})
    anyones: frozenset[CallerKind] = frozenset()
    turn: int = 0


def body(**fields: Any) -> Fields:
    return lambda id_, who, world: fields


def named(name: str, /, **fields: Any) -> Fields:
    return lambda id_, who, world: {name: id_, **fields}


def _payment(id_: str, who: Who, world: World) -> dict[str, Any]:
    payer = {} if who.kind is PERSON else {"payer": world.people["live" if who.live else "A"].id}
    return {"order": id_, **payer, "funding": [{"line": world.people["A"].line}]}


def _movement(id_: str, who: Who, world: World) -> dict[str, Any]:
    return {"amount_minor": 1, "bank_account": world.things[who.owns or "A"]["bank_account"]}


def _application(id_: str, who: Who, world: World) -> dict[str, Any]:
    return {"product": "monthly_bill", "consents": CONSENTS, "declared": {"born_on": "1990-01-02"}}


def _signature(id_: str, who: Who, world: World) -> dict[str, Any]:
    return {"sheet_hash": "0" * 64, "confirmation": {"kind": "pin", "proof": PIN}}


def _link_token(id_: str, who: Who, world: World) -> dict[str, Any]:
    link = next((t for t in world.things.values() if t.get("payment_link") == id_), {})
    return {"token": link.get("payment_link_token", "0" * 52)}


IN_BODY = frozenset({404, 422})
WHY = body(reason="matrix")
YES = {"kind": "pin", "proof": PIN}


def _verification(id_: str, who: Who, world: World) -> dict[str, Any]:
    by_staff = {"tier": 2, "reason": "matrix"} if who.kind is CallerKind.STAFF else {}
    return {"kind": "passport", "name": "Somebody", "document": f"E{abs(hash(id_)) % 10**8:08d}", **by_staff}


def _phone_change(id_: str, who: Who, world: World) -> dict[str, Any]:
    """To no phone: heard, without effect."""
    shown = {"document": "E1", "reason": "matrix"} if who.kind is CallerKind.STAFF else {"pin": PIN}
    return {"phone": "1", "code": "000000", **shown}


CASES: dict[str, Case] = {
    "create_person": Case(),
    "get_person": Case(of="person"),
    "get_wallet": Case(of="wallet"),
    "create_top_up": Case(of="wallet", fill=_movement),
    "create_withdrawal": Case(of="wallet", fill=_movement),
    "set_pin": Case(of="person", fill=body(pin="123456", code="000000")),  # weak: heard, without effect
    "freeze_person": Case(of="person", fill=WHY, turn=9),
    "unfreeze_person": Case(of="person", fill=WHY),
    "list_people": Case(fill=body(external_id="nobody"), where="query"),
    "erase_person": Case(of="person"),
    "create_verification": Case(of="person", fill=_verification),
    "list_verifications": Case(of="person"),
    "send_phone_code": Case(of="person", fill=body(phone="1")),  # no phone: heard, without effect
    "change_phone": Case(of="person", fill=_phone_change),
    "freeze_by_phone": Case(),
    "list_staff": Case(),
    "set_staff_role": Case(of="staff", fill=body(role="operator", reason="matrix")),
    "send_code": Case(),
    "create_session": Case(),
    "create_sign_in_challenge": Case(),
    "list_sessions": Case(),
    "delete_session": Case(of="session", fresh=True),
    "delete_other_sessions": Case(turn=1),
    "list_devices": Case(),
    "delete_device": Case(of="device", fresh=True),
    "create_passkey_challenge": Case(fill=body(code="1")),  # no code: heard, without effect
    "create_passkey": Case(fill=body(answer="{}", name="x" * 101)),
    "list_passkeys": Case(),
    "rename_passkey": Case(of="passkey", fill=body(name="blue")),
    "delete_passkey": Case(of="passkey", fresh=True),
    "create_confirmation_challenge": Case(fill=body(call="confirm_payment", id="pay_1")),
    "list_messages": Case(fill=body(phone="+8613900001111"), where="query"),
    "create_bank_account": Case(),
    "list_bank_accounts": Case(),
    "delete_bank_account": Case(of="bank_account", fresh=True),
    "create_merchant": Case(),
    "get_merchant": Case(of="merchant"),
    "close_merchant": Case(of="merchant", fill=WHY, turn=8),
    "set_return_origins": Case(of="merchant", fill=body(return_origins=["https://shop.test"])),
    "list_api_keys": Case(of="merchant", where="query", fill=named("merchant")),
    "create_api_key": Case(
        of="merchant", where="body", fill=named("merchant", name="matrix", scopes=["keys"])
    ),
    "revoke_api_key": Case(of="api_key", fresh=True),
    "create_staff_session": Case(),
    "delete_staff_session": Case(of="staff_session", turn=10),
    "list_audit_entries": Case(of="person", where="query", fill=named("of"), missing=frozenset({200})),
    "create_order": Case(),
    "list_orders": Case(),
    "get_order": Case(of="order"),
    "confirm_receipt": Case(of="order"),
    "ship_order": Case(of="order"),
    "close_order": Case(of="order"),
    "create_merchant_code": Case(fill=body(label="matrix")),
    "list_merchant_codes": Case(),
    "get_merchant_code": Case(of="merchant_code"),
    "close_merchant_code": Case(of="merchant_code", turn=1),
    "create_code_order": Case(of="merchant_code", fill=body(amount_minor=1), anyones=frozenset({PERSON})),
    "get_order_code": Case(of="order"),
    "create_scan": Case(
        of="merchant_code", where="body", fill=named("text"), missing=IN_BODY, anyones=frozenset({PERSON})
    ),
    "create_payment_link": Case(fill=body(amount_minor=1, subject="matrix")),
    "list_payment_links": Case(),
    "get_payment_link": Case(of="payment_link"),
    "close_payment_link": Case(of="payment_link", turn=1),
    "create_link_order": Case(of="payment_link", fill=_link_token, anyones=frozenset({PERSON})),
    "create_friend_link": Case(of="open_order", anyones=frozenset({PERSON})),
    "get_friend_link": Case(of="friend_link"),
    "cancel_friend_link": Case(of="friend_link", turn=1),
    "list_offers": Case(),
    "create_quote": Case(
        of="open_order", where="body", fill=named("order"), missing=IN_BODY, anyones=frozenset({PERSON})
    ),
    "create_payment": Case(
        of="open_order", where="body", fill=_payment, missing=IN_BODY, anyones=frozenset({PERSON})
    ),
    "list_payments": Case(),
    "get_payment": Case(of="payment"),
    "confirm_payment": Case(of="payment", fill=body(refuse=True)),
    "review_payment": Case(of="payment", fill=body(approve=True, reason="matrix")),
    "capture_payment": Case(of="payment"),
    "void_payment": Case(of="payment"),
    "undo_payment": Case(of="payment", fill=body(reason="matrix")),
    "create_pay_code": Case(),
    "stop_pay_codes": Case(turn=1),
    "create_family_card": Case(
        of="wallet",
        where="body",
        fill=named("wallet", phone="+8613700000001", name="matrix", month_cap_minor=1, confirmation=YES),
        missing=IN_BODY,
    ),
    "list_family_cards": Case(),
    "get_family_card": Case(of="family_card"),
    "list_family_card_payments": Case(of="family_card"),
    "accept_family_card": Case(of="family_card"),
    "set_family_cap": Case(of="family_card", fill=body(month_cap_minor=1)),
    "pause_family_card": Case(of="family_card"),
    "resume_family_card": Case(of="family_card"),
    "stop_family_card": Case(of="family_card", turn=1),
    "create_ride": Case(),
    "list_rides": Case(),
    "get_ride": Case(of="ride"),
    "list_ride_charges": Case(),
    "get_ride_charge": Case(of="ride_charge"),
    "pay_ride_charge": Case(of="ride_charge", fill=body(confirmation=YES)),
    "get_ride_terms": Case(),
    "set_ride_terms": Case(fill=body(day_cap_minor=1)),
    "create_refund": Case(
        of="payment",
        where="body",
        fill=named("payment", refund_no="mx", amount_minor=1, reason="matrix"),
        missing=IN_BODY,
    ),
    "get_refund": Case(of="refund"),
    "explain_refund": Case(of="refund"),
    "create_checkout_session": Case(
        of="open_order", where="body", fill=named("order", return_url="https://shop.test/"), missing=IN_BODY
    ),
    "get_checkout_session": Case(of="checkout_session"),
    "expire_checkout_session": Case(of="checkout_session"),
    "cancel_checkout_session": Case(of="checkout_session", anyones=frozenset({PERSON})),
    "create_campaign": Case(
        of="merchant",
        where="body",
        fill=named(
            "merchant", name="matrix", from_on="2026-10-01", until_on="2027-10-01", tenors=[3], budget_minor=1
        ),
        missing=IN_BODY,
    ),
    "list_campaigns": Case(of="merchant", where="query", fill=named("merchant")),
    "get_campaign": Case(of="campaign"),
    "pause_campaign": Case(of="campaign"),
    "resume_campaign": Case(of="campaign", turn=1),
    "end_campaign": Case(of="campaign", turn=2),
    "get_application_terms": Case(),
    "create_application": Case(fill=_application, where="body"),
    "list_applications": Case(
        of="person", where="query", fill=named("person"), missing=frozenset({200, 404})
    ),
    "get_application": Case(of="application"),
    "accept_application": Case(of="application", fill=_signature),
    "refer_application": Case(of="application"),
    "withdraw_consent": Case(of="application", fill=body(purpose="none")),
    "decide_application": Case(of="application", fill=WHY),
    "get_application_sheet": Case(of="application"),
    "get_application_contract": Case(of="application"),
    "list_line_reviews": Case(of="line"),
    "list_lines": Case(of="person", where="query", fill=named("person"), missing=frozenset({200, 404})),
    "open_line": Case(
        of="person",
        where="body",
        fill=named("person", product="monthly_bill", limit_minor=1, reason="matrix"),
        missing=IN_BODY,
    ),
    "get_line": Case(of="line"),
    "set_line_limit": Case(of="line", fill=body(limit_minor=1_000_00, reason="matrix")),
    "freeze_line": Case(of="line", fill=WHY),
    "unfreeze_line": Case(of="line", fill=WHY),
    "set_due_day": Case(of="line", fill=body(due_day=15, reason="matrix")),
    "set_auto_debit": Case(of="line", fill=body(sources=[], reason="matrix")),
    "close_line": Case(of="line", fill=WHY, turn=7),
    "list_line_changes": Case(of="line"),
    "get_credit_cap": Case(of="person"),
    "set_credit_cap": Case(of="person", fill=body(cap_minor=None, reason="matrix")),
    "list_draws": Case(of="line"),
    "list_bills": Case(of="line", where="query", fill=named("line")),
    "get_bill": Case(of="bill"),
    "explain_bill": Case(of="bill"),
    "get_plan": Case(of="plan"),
    "explain_plan": Case(of="plan"),
    "list_bill_plans": Case(of="bill"),
    "create_plan": Case(
        of="bill",
        where="body",
        fill=named(
            "bill",
            amount_minor=10_000,
            quote_option="opt_" + "0" * 32,
            confirmation={"kind": "pin", "proof": PIN},
        ),
    ),
    "create_repayment": Case(
        of="line", where="body", fill=named("line", amount_minor=1, source="external"), missing=IN_BODY
    ),
    "get_repayment": Case(of="repayment"),
    "explain_repayment": Case(of="repayment"),
    "reverse_repayment": Case(of="repayment", fill=WHY),
    "list_settlements": Case(),
    "get_settlement": Case(of="settlement"),
    "list_events": Case(),
    "create_webhook_endpoint": Case(),
    "list_webhook_endpoints": Case(),
    "delete_webhook_endpoint": Case(of="webhook_endpoint", fresh=True),
    "list_deliveries": Case(of="webhook_endpoint"),
    "resend_delivery": Case(of="delivery"),
    "get_decision": Case(of="decision"),
    "list_journals": Case(of="payment", where="query", fill=named("of"), missing=frozenset({200, 404})),
    "get_clock": Case(),
    "advance_clock": Case(fill=body(days=0), where="body"),
    "healthz": Case(),
    "readyz": Case(),
    "metrics": Case(turn=-1),
}

PREFIXES = {"open_order": "ord", "staff_session": "ses"}
ABSENT = "01h455vb4pex5vsknk084sn02q"
OWN_OF_THE_OPERATOR = ("webhook_endpoint", "delivery")
"""Kinds of which the operator's server has its own and does not see the merchants'."""


def refusal(rule: Rule, who: Who) -> int | None:
    """What the table says, read anew: the status of a caller who may not call at all; None: heard."""
    if rule.reach.public:
        return None
    if who.kind is None:
        return 401
    if rule.reach.only_in is not None and who.live:
        return 404
    allowed = {
        CallerKind.PERSON: rule.person is not None
        and (rule.person is AuthLevel.CODE or who.level is AuthLevel.PIN),
        CallerKind.MERCHANT: rule.merchant in who.scopes,
        CallerKind.PLATFORM: rule.platform in who.scopes,
        CallerKind.STAFF: who.role in rule.staff,
    }[who.kind]
    return None if allowed else 403


class Cell(Struct, frozen=True):
    """One question: a route, a caller, and which object it names."""

    route: Route
    who: Who
    target: str

    def __str__(self) -> str:
        return f"{self.route.operation} · {self.who.name} · {self.target}"


class Matrix:
    """Asks cells and keeps what does not fit."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.counts: Counter[str] = Counter()
        self.misfits: list[str] = []
        self.deeds_of_staff: set[str] = set()
        self.at_once = asyncio.Semaphore(16)

    def cells(self) -> Iterable[Cell]:
        """Every cell there is, but own objects of callers who have none."""
        for route in (route for route in ROUTES if route.operation in CASES):
            case, public = CASES[route.operation], RULES[route.operation].reach.public
            targets = ("own", "another", "absent", "malformed") if case.of else ("own",)
            for who in self.world.callers:
                if public and case.of and who.kind is not None:
                    continue
                yield from (Cell(route, who, target) for target in targets if self._has(case, who, target))

    def _has(self, case: Case, who: Who, target: str) -> bool:
        if case.of is None or target in ("absent", "malformed"):
            return True
        if target == "another":
            return who.kind not in case.anyones
        return bool(who.owns)  # a caller of the other book owns nothing that is asked for here

    async def ask(self, cell: Cell) -> httpx.Response:
        """Send the request of a cell."""
        case, route = CASES[cell.route.operation], cell.route
        id_ = await self._id(case, cell) if case.of else ""
        fields = case.fill(id_, cell.who, self.world)
        path = (
            route.path.split("{")[0] + id_ + route.path.partition("}")[2] if "{" in route.path else route.path
        )
        more: dict[str, Any] = {"params": fields} if case.where == "query" else {}
        sent = fields if route.method == "POST" and case.where != "query" else None
        async with self.at_once:
            return await self.world.api.call(route.method, path, cell.who.token, sent, **more)

    async def _id(self, case: Case, cell: Cell) -> str:
        kind, who, things = case.of or "", cell.who, self.world.things
        prefix = PREFIXES.get(kind) or things["A"][kind].partition("_")[0]
        if cell.target == "absent":
            return f"{prefix}_{ABSENT}"
        if cell.target == "malformed":
            return f"{prefix}_1"
        if kind == "staff_session":
            return (who.session if cell.target == "own" else "") or things["other staff"][kind]
        owner = who.owns if cell.target == "own" else who.other
        if who.kind is CallerKind.PLATFORM and kind in OWN_OF_THE_OPERATOR and not who.live:
            owner = "platform" if cell.target == "own" else "A"
        if case.fresh and cell.target == "own" and refusal(RULES[cell.route.operation], who) is None:
            return await self.world.make(kind, owner)
        denied = refusal(RULES[cell.route.operation], who) is not None  # to whom it does not matter
        return things[owner].get(kind, f"{prefix}_{ABSENT}") if denied else things[owner][kind]

    async def check(self, route: Route, who: Who, cells: list[Cell]) -> None:
        """Ask a caller's cells of a route, but own ones that are heard, and hold the answers to the table."""
        case, status = CASES[route.operation], refusal(RULES[route.operation], who)
        asked = [cell for cell in cells if status is not None or cell.target != "own"]
        answers = [(cell, await self.ask(cell)) for cell in asked]
        bodies = {
            _told(answer)
            for cell, answer in answers
            if cell.target != "malformed" or self._alike(case, status)
        }
        for cell, answer in answers:
            expected = {status} if status is not None else case.missing
            if status is None and cell.target == "malformed" and case.where != "path":
                expected = frozenset({404, 422})
            self._count(cell, answer, answer.status_code in expected, f"expected {sorted(expected)}")
        if len(bodies) > 1:
            self.misfits.append(f"{route.operation} · {who.name}: tells apart {sorted(bodies)}")

    def _alike(self, case: Case, status: int | None) -> bool:
        return status is not None or case.where == "path"

    async def check_own(self, cell: Cell) -> None:
        """Ask for one's own: it is heard."""
        answer = await self.ask(cell)
        reads = cell.route.method == "GET" and RULES[cell.route.operation].reach.public is False
        expected = frozenset({200}) if reads else DEFINITE
        is_deed = cell.route.method != "GET" and RULES[cell.route.operation].staff
        if is_deed and cell.who.kind is CallerKind.STAFF and answer.is_success:
            self.deeds_of_staff.add(cell.route.operation)
        self._count(cell, answer, answer.status_code in expected, f"expected {sorted(expected)}")

    def _count(self, cell: Cell, answer: httpx.Response, fits: bool, expected: str) -> None:
        self.counts[f"{answer.status_code}"] += 1
        is_problem = answer.headers["content-type"] == "application/problem+json"
        if not fits or (answer.status_code in (401, 403, 404) and not is_problem):
            self.misfits.append(f"{cell}: {answer.status_code} {answer.text[:160]}, {expected}")


def _told(answer: httpx.Response) -> str:
    seen = answer.json()
    seen.pop("request_id", None)
    return f"{answer.status_code} {json.encode(seen).decode()}"


UNTRACED = frozenset({"send_phone_code", "delete_staff_session", "advance_clock", "reverse_repayment"})
"""What staff do here without a trace of their own: it leads to a deed that has one, is their own session's, or a test
book's, or finds done what the operator's server has done (test_lines.py has the reversal that is theirs).
"""


def test_every_route_is_classified() -> None:
    served = {route.operation for route in ROUTES}
    assert sorted(served - CASES.keys()) == [], "say in CASES what the route's object is and how it is asked"
    assert len(served) == len(ROUTES), "an operation stands for one route"


@pytest.mark.parametrize(
    "route",
    [route for route in ROUTES if "{" in route.path and route.operation in CASES],
    ids=lambda route: route.operation,
)
def test_a_route_with_an_object_in_its_path_names_it(route: Route) -> None:
    assert CASES[route.operation].of is not None and CASES[route.operation].where == "path"


@pytest.fixture
async def world(settings: Settings, founded: Founded) -> AsyncIterator[World]:
    """The test book and a live one, with callers of every kind and what belongs to them."""
    own, clock = replace(settings, webhooks_to_private_addresses=True), FixedClock(NOON)
    await found(own, [Draft(name="live", mode=Mode.LIVE)], clock=clock)
    async with opened(own, clock=clock, background=Background.OFF) as app:
        app.lanes.handlers[Fill] = fill_wallets
        transport = httpx.ASGITransport(app.api(), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
            world = World(Api(app, http, clock, founded.secrets.platform_keys["test"]))
            await world.furnish()
            yield world
        await app.services.followers.catch_up()
        assert (await ledger.verify(app.database)).breaks == ()


async def test_the_matrix(world: World) -> None:
    matrix = Matrix(world)
    cells = list(matrix.cells())
    groups: dict[tuple[str, str], list[Cell]] = {}
    for cell in cells:
        groups.setdefault((cell.route.operation, cell.who.name), []).append(cell)
    own: dict[int, list[Cell]] = {}
    for cell in cells:
        if cell.target == "own" and refusal(RULES[cell.route.operation], cell.who) is None:
            own.setdefault(CASES[cell.route.operation].turn, []).append(cell)
    await asyncio.gather(*(matrix.check_own(cell) for cell in own.pop(-1)))
    await asyncio.gather(*(matrix.check(found[0].route, found[0].who, found) for found in groups.values()))
    assert matrix.misfits == [], "\n" + "\n".join(matrix.misfits[:40])
    for _, now in sorted(own.items()):
        await asyncio.gather(*(matrix.check_own(cell) for cell in now))
    print(  # noqa: T201  the figure of S1
        f"{len(cells)} cells, {len(ROUTES)} routes, {len(world.callers)} callers: {dict(matrix.counts)}"
    )
    assert matrix.misfits == [], "\n" + "\n".join(matrix.misfits[:40])
    assert sum(matrix.counts.values()) == len(cells)
    async with world.api.app.database.read() as db:
        kept = await db.fetch("select distinct operation from audit_entry where by_kind = 'staff'")
    untold = matrix.deeds_of_staff - UNTRACED - {row["operation"] for row in kept}
    assert {"create_refund", "create_repayment", "freeze_person"} <= matrix.deeds_of_staff
    assert not untold, f"staff do it, and no audit tells: {sorted(untold)}"
