"""Bad input over all routes: a clear problem with a stable code, nothing changed, and never a 500.

The table has two parts: what can be made of every route by its own declaration (bodies, fields, ids, parameters,
headers), and what only somebody who knows payments would send.
"""

from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
from msgspec import Struct

from wufeng.api import ROUTES
from wufeng.api.routing import Nothing, Route
from wufeng.base.errors import Code
from wufeng.identity import RULES
from wufeng.identity.staff.model import Role

from .conftest import PIN, Api, Person, Shop

ABSENT = "01h455vb4pex5vsknk084sn02q"
PREFIXES = {
    "people": "per", "sessions": "ses", "wallets": "wal", "bank_accounts": "bka", "merchants": "mer", "api_keys": "key",
    "staff_sessions": "ses", "orders": "ord", "payments": "pay", "refunds": "rfd", "lines": "lin", "bills": "bil",
    "plans": "pln", "repayments": "rep", "checkout_sessions": "chk", "settlements": "stl", "webhook_endpoints": "whe",
    "deliveries": "dlv", "decisions": "dec",
}  # fmt: skip
BAD_IDS = (
    "x",
    "pay_",
    "pay_01h455vb4pex5vsknk084sn02",
    "per_0!h455vb4pex5vsknk084sn02q",
    "'%20or%201=1--",
    "%00",
    "🐟",
    "9" * 300,
)
JSON = {"Content-Type": "application/json"}
ENDS_OF_THE_CALENDAR = (
    "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+12:00", "1999-12-31T23:59:59Z", "9000-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-12:00",
)  # fmt: skip


class Case(Struct, frozen=True, kw_only=True):
    """One request that cannot be answered. `codes`: what it may be called; none given: any problem will do."""

    what: str
    method: str
    path: str
    token: str | None
    content: bytes = b""
    headers: dict[str, str] = {}
    key: str | None = "bad-input"
    codes: frozenset[str] = frozenset()


class World(Struct):
    """Who asks, and about what."""

    person: Person
    shop: Shop
    platform: str
    supervisor: str
    admin: str
    payment: str
    order: str

    def token_of(self, route: Route) -> str | None:
        """Somebody who may make the call."""
        rule = RULES[route.operation]
        if rule.reach.public:
            return None
        if rule.person is not None:
            return self.person.token
        if rule.merchant is not None:
            return self.shop.key
        if rule.platform is not None:
            return self.platform
        return self.supervisor if Role.SUPERVISOR in rule.staff else self.admin

    def path_of(self, route: Route) -> str:
        """Its address, for an object of the right kind that does not exist."""
        return route.path.replace("{id}", f"{PREFIXES.get(route.path.split('/')[2], 'x')}_{ABSENT}")


def codes(*names: Code) -> frozenset[str]:
    return frozenset(name.value for name in names)


UNREADABLE = codes(Code.MALFORMED, Code.INVALID_FIELD)
INVALID = codes(Code.INVALID_FIELD)
ABSENT_OR_INVALID = codes(Code.NOT_FOUND, Code.INVALID_FIELD)


def of_every_route(world: World) -> Iterator[Case]:
    """What the declaration of a route alone says cannot be answered."""
    for route in ROUTES:
        if route.operation in ("healthz", "readyz", "metrics"):
            continue
        yield from _of_path(world, route)
        yield from _of_headers(world, route)
        if route.body is not Nothing:
            yield from _of_body(world, route)
        if route.method == "GET":
            yield from _of_query(world, route)


def _case(world: World, route: Route, what: str, **more: Any) -> Case:
    path = more.pop("path", world.path_of(route))
    return Case(
        what=f"{route.operation}: {what}",
        method=route.method,
        path=path,
        token=world.token_of(route),
        key=more.pop("key", "bad-input" if route.keyed else None),
        **more,
    )


def _of_path(world: World, route: Route) -> Iterator[Case]:
    if "{id}" not in route.path:
        return
    for bad in BAD_IDS:
        path = route.path.replace("{id}", bad)
        allowed = codes(Code.NOT_FOUND, Code.INVALID_FIELD, Code.MALFORMED)
        yield _case(world, route, f"id {bad[:20]}", path=path, content=b"{}", headers=JSON, codes=allowed)


def _of_headers(world: World, route: Route) -> Iterator[Case]:
    if route.keyed:
        missing = codes(Code.IDEMPOTENCY_KEY_MISSING, Code.INVALID_FIELD)
        yield _case(world, route, "no key", key=None, content=b"{}", headers=JSON, codes=missing)
        for bad in ("", "k" * 256, "a\tb"):
            yield _case(
                world, route, f"key {bad[:5]!r}", key=bad, content=b"{}", headers=JSON, codes=UNREADABLE
            )
    version = JSON | {"Wufeng-Version": "1999-01-01"}
    yield _case(world, route, "version", content=b"{}", headers=version, codes=codes(Code.MALFORMED))
    if not RULES[route.operation].reach.public:
        for token in (
            None,
            "nonsense",
            "wf_test_" + "0" * 32 + "_" + "A" * 43,
            "wfs_1_" + "0" * 32 + "_" + "A" * 43,
        ):
            case = _case(world, route, f"token {str(token)[:8]}", content=b"{}", headers=JSON)
            yield msgspec.structs.replace(case, token=token, codes=codes(Code.UNAUTHENTICATED))


def _of_body(world: World, route: Route) -> Iterator[Case]:
    for what, content in (
        ("array", b"[]"),
        ("text", b'"x"'),
        ("null", b"null"),
        ("half", b'{"a":'),
        ("utf-8", b'{"a":"\xff\xfe"}'),
        ("surrogate", b'{"a":"\\ud800"}'),
        ("deep", b"[" * 5_000),
        ("unknown field", b'{"surprise":1}'),
    ):
        yield _case(world, route, what, content=content, headers=JSON, codes=UNREADABLE)
    large = codes(Code.TOO_LARGE)
    yield _case(world, route, "large", content=b'{"a":"' + b"x" * 70_000 + b'"}', headers=JSON, codes=large)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    yield _case(world, route, "form", content=b"a=1", headers=form, codes=codes(Code.UNSUPPORTED_MEDIA_TYPE))
    for field in msgspec.structs.fields(route.body):
        name = field.encode_name
        for bad in (
            b"[]",
            b"{}",
            b"-1",
            b"1.5",
            b'""',
            b'"\\u0000"',
            b'"' + b"y" * 5_000 + b'"',
            b"99999999999999999999",
        ):
            content = b'{"' + name.encode() + b'":' + bad + b"}"
            yield _case(world, route, f"{name} = {bad[:12]!r}", content=content, headers=JSON)


def _of_query(world: World, route: Route) -> Iterator[Case]:
    path = world.path_of(route)
    if "{id}" not in route.path:
        yield _case(world, route, "unknown parameter", path=f"{path}?surprise=1", codes=INVALID)
    fields = msgspec.structs.fields(route.query) if route.query is not Nothing else ()
    for field in fields:
        for bad in ("%00", "%FF", "a" * 3_000, "'--"):
            yield _case(world, route, f"{field.name} = {bad[:5]}", path=f"{path}?{field.name}={bad}")
        twice = f"{path}?{field.name}=1&{field.name}=2"
        yield _case(world, route, f"{field.name} twice", path=twice, codes=UNREADABLE)
        if field.name == "limit":
            for bad in ("0", "101", "-1", "1.5", "x", ""):
                yield _case(world, route, f"limit = {bad}", path=f"{path}?limit={bad}", codes=INVALID)


def of_payments(world: World) -> Iterator[Case]:
    """What only somebody who knows payments would send."""
    order = {
        "order_no": "B-1",
        "amount_minor": 1_000,
        "currency": "CNY",
        "subject": "goods",
        "merchant": world.shop.id,
    }
    good = {"order": order, "funding": [{"line": world.person.line}]}

    def pay(what: str, body: dict[str, Any], expected: frozenset[str] = INVALID, token: str = "") -> Case:
        return Case(
            what=what,
            method="POST",
            path="/v1/payments",
            token=token or world.person.token,
            content=msgspec.json.encode(body),
            headers=JSON,
            codes=expected,
        )

    for field, values in {
        "amount_minor": (0, -1, 2**53, 2**63 - 1, 2**64, "12", 1.0, True, None),
        "currency": ("USD", "cny", "CN", "", "人民币", None),
        "order_no": ("", " ", "a b", "é", "x" * 65, None),
        "subject": ("", "s" * 129, 7, None),
        "merchant": (f"mer_{ABSENT}", "mer_x", world.person.id, ""),
        "scene": ("casino", "", 3),
        "receipt": ("perhaps", "confirm"),
        "expires_at": ("tomorrow", "2026-09-03T12:00:00", 0, *ENDS_OF_THE_CALENDAR),
        "metadata": ({"a": 1}, {"k" * 41: "v"}, {"a": "v" * 501}, {f"k{n}": "v" for n in range(21)}, []),
    }.items():
        for value in values:
            yield pay(f"order.{field} = {str(value)[:20]!r}", good | {"order": order | {field: value}})
    for what, funding in (
        ("nothing", []),
        ("two lines", [{"line": world.person.line}, {"line": world.person.line}]),
        ("three", [{"line": world.person.line}] * 3),
        ("both in one", [{"line": world.person.line, "wallet": world.person.wallet}]),
        ("neither", [{}]),
        ("another's wallet", [{"wallet": f"wal_{ABSENT}"}]),
        ("a line that is no id", [{"line": "line"}]),
        ("tenor 0", [{"line": world.person.line, "tenor": 0}]),
        ("tenor 61", [{"line": world.person.line, "tenor": 61}]),
    ):
        yield pay(f"funding: {what}", good | {"funding": funding})
    yield pay("no funding", {"order": order})
    yield pay("funding and an option", good | {"quote_option": f"qte_{ABSENT}.1"})
    yield pay("an option that is none", {"order": order, "quote_option": f"qte_{ABSENT}.1"})
    yield pay("an option that is no id", {"order": order, "quote_option": "first"})
    yield pay("another payer", good | {"payer": f"per_{ABSENT}"})
    yield pay("an order that is none", good | {"order": f"ord_{ABSENT}"})
    for proof in ("", "p" * 8_193, 190372, None):
        yield pay(f"proof {str(proof)[:5]!r}", good | {"confirmation": {"kind": "pin", "proof": proof}})
    # A proof is right or wrong: what has not the form of a PIN is refused as a wrong one is.
    formless = good | {"confirmation": {"kind": "pin", "proof": "p" * 65}}
    yield pay("a proof that no PIN can be", formless, codes(Code.CONFIRMATION_FAILED))
    yield pay("a kind of proof that is none", good | {"confirmation": {"kind": "charm", "proof": "x"}})
    wrong = good | {"confirmation": {"kind": "pin", "proof": "000000"}}
    yield pay("a wrong PIN", wrong, codes(Code.CONFIRMATION_FAILED))
    yield pay("a merchant without payer", good, INVALID, world.shop.key)
    confirmed = good | {"payer": world.person.id, "confirmation": {"kind": "pin", "proof": PIN}}
    yield pay("a merchant that confirms", confirmed, INVALID, world.shop.key)
    yield pay("a platform without payer", good, INVALID, world.platform)
    elsewhere = good | {"payer": world.person.id, "order": order | {"merchant": f"mer_{ABSENT}"}}
    yield pay("a merchant for another", elsewhere, INVALID, world.shop.key)


def of_the_rest(world: World) -> Iterator[Case]:
    """Refunds, captures, repayments, lines, wallets, webhooks: amounts and states that cannot be."""

    def post(what: str, path: str, token: str, body: Any, *expected: Code) -> Case:
        return Case(
            what=what,
            method="POST",
            path=path,
            token=token,
            content=msgspec.json.encode(body),
            headers=JSON,
            codes=codes(*expected),
        )

    shop, person, boss = world.shop.key, world.person, world.supervisor
    invalid, conflict = Code.INVALID_FIELD, Code.STATE_CONFLICT
    for amount in (0, -5, 2**60, "all"):
        body = {"payment": world.payment, "refund_no": "R-1", "amount_minor": amount}
        yield post(f"refund of {amount}", "/v1/refunds", shop, body, invalid)
    too_much = {"payment": world.payment, "refund_no": "R-2", "amount_minor": 10_001}
    yield post("refund of more than was paid", "/v1/refunds", shop, too_much, invalid, conflict)
    nobody = {"payment": f"pay_{ABSENT}", "refund_no": "R-3", "amount_minor": 1}
    yield post("refund of nothing", "/v1/refunds", shop, nobody, invalid, Code.NOT_FOUND)
    path = f"/v1/payments/{world.payment}"
    yield post("capture of the captured", f"{path}/capture", shop, {}, conflict)
    yield post("void of the captured", f"{path}/void", shop, {}, conflict)
    yield post(
        "confirm of the captured",
        f"{path}/confirm",
        person.token,
        {"confirmation": {"kind": "pin", "proof": PIN}},
        conflict,
    )
    yield post("confirm without a word", f"{path}/confirm", person.token, {}, invalid)
    for amount in (0, -1, "everything", 2**60):
        body = {"line": person.line, "amount_minor": amount, "source": "external"}
        yield post(f"repayment of {amount}", "/v1/repayments", world.platform, body, invalid)
    yield post(
        "repayment of no line",
        "/v1/repayments",
        world.platform,
        {"line": f"lin_{ABSENT}", "amount_minor": 1, "source": "external"},
        Code.NOT_FOUND,
        invalid,
    )
    yield post(
        "repayment from nowhere",
        "/v1/repayments",
        person.token,
        {"line": person.line, "amount_minor": 1, "source": f"wal_{ABSENT}"},
        Code.NOT_FOUND,
        invalid,
    )
    yield post(
        "repayment by oneself from outside",
        "/v1/repayments",
        person.token,
        {"line": person.line, "amount_minor": 1, "source": "external"},
        invalid,
        Code.FORBIDDEN,
    )
    yield post(
        "repayment dated by oneself",
        "/v1/repayments",
        person.token,
        {"line": person.line, "amount_minor": 1, "value_on": "2026-09-01"},
        invalid,
    )
    for limit in (-1, 2**60, "much"):
        body = {"person": person.id, "product": "monthly_bill", "limit_minor": limit, "reason": "x"}
        yield post(f"a line of {limit}", "/v1/lines", boss, body, invalid)
    yield post(
        "a line of a product that is none",
        "/v1/lines",
        boss,
        {"person": person.id, "product": "dream", "limit_minor": 100_000, "reason": "x"},
        invalid,
        Code.NOT_FOUND,
    )
    yield post(
        "a second line",
        "/v1/lines",
        boss,
        {"person": person.id, "product": "monthly_bill", "limit_minor": 100_000, "reason": "x"},
        conflict,
    )
    yield post(
        "a line without a reason",
        "/v1/lines",
        boss,
        {"person": person.id, "product": "monthly_bill", "limit_minor": 100_000},
        invalid,
    )
    yield post(
        "a line for nobody",
        "/v1/lines",
        boss,
        {"person": f"per_{ABSENT}", "product": "monthly_bill", "limit_minor": 100_000, "reason": "x"},
        Code.NOT_FOUND,
        invalid,
    )
    yield post(
        "a limit raised by oneself",
        f"/v1/lines/{person.line}/limit",
        person.token,
        {"limit_minor": 400_000_00},
        invalid,
        conflict,
        Code.FORBIDDEN,
    )
    yield post(
        "a due day that is none", f"/v1/lines/{person.line}/due_day", person.token, {"due_day": 32}, invalid
    )
    goods = {"amount_minor": 100, "subject": "goods"}
    for end in ENDS_OF_THE_CALENDAR:
        order = goods | {"order_no": "B-9", "currency": "CNY", "expires_at": end}
        yield post(f"an order until {end}", "/v1/orders", shop, order, invalid)
        yield post(f"a link until {end}", "/v1/payment_links", shop, goods | {"expires_at": end}, invalid)
    wallet = f"/v1/wallets/{person.wallet}"
    yield post(
        "a top-up of nothing",
        f"{wallet}/top_ups",
        person.token,
        {"amount_minor": 0, "bank_account": f"bka_{ABSENT}"},
        invalid,
    )
    yield post(
        "a top-up from nowhere",
        f"{wallet}/top_ups",
        person.token,
        {"amount_minor": 100, "bank_account": f"bka_{ABSENT}"},
        invalid,
        Code.NOT_FOUND,
    )
    for number in ("", "12", "abcdefghij", "1" * 40):
        yield post(
            f"bank account {number[:6]!r}",
            "/v1/bank_accounts",
            person.token,
            {"number": number, "bank": "ICBC"},
            invalid,
        )
    for url in ("", "ftp://x.example/", "http://", "https://" + "a" * 3_000, "javascript:alert(1)"):
        yield post(f"webhook to {url[:12]!r}", "/v1/webhook_endpoints", shop, {"url": url}, invalid)
    yield post(
        "webhook of a type that is none",
        "/v1/webhook_endpoints",
        shop,
        {"url": "https://shop.example/hook", "types": ["x"]},
        invalid,
    )
    for phone in ("", "12", "phone", "+0", "1" * 40):
        yield post(
            f"phone {phone[:6]!r}",
            "/v1/people",
            world.platform,
            {"phone": phone, "external_id": "bad"},
            invalid,
        )
    for pin in ("123456", "111111", "12345", "abcdef", ""):
        yield post(
            f"PIN {pin!r}", f"/v1/people/{person.id}/pin", person.token, {"pin": pin, "old_pin": PIN}, invalid
        )
    for body in (
        {},
        {"days": 0},
        {"days": -1},
        {"days": 401},
        {"to_on": "2020-01-01"},
        {"to_on": "2026-09-03", "days": 1},
        {"to_on": "soon"},
    ):
        yield post(f"clock {body}", "/v1/clock/advance", world.platform, body, invalid)
    yield post("offers are read", "/v1/offers", shop, {}, Code.METHOD_NOT_ALLOWED)


async def fingerprint(api: Api) -> dict[str, int]:
    """Rows of every table that an answer could have changed; codes and tries are counted by what they are."""
    async with api.app.database.read() as db:
        tables = [
            row["tablename"]
            for row in await db.fetch("select tablename from pg_tables where schemaname = 'public'")
        ]
        return {
            table: int(await db.fetchval(f"select count(*) from {table}"))
            for table in sorted(tables)
            if table not in ("one_time_code", "message", "quote", "cursor", "key_claim")
        }


async def test_bad_input_gets_a_clear_problem_and_changes_nothing(api: Api) -> None:
    person, shop = await api.new_person(line_minor=500_000), await api.new_merchant()
    payment = (await api.pay(person, shop, 10_000)).json()
    world = World(
        person,
        shop,
        api.platform,
        await api.new_staff(Role.SUPERVISOR),
        await api.new_staff(Role.ADMIN),
        payment["id"],
        payment["order"],
    )
    stepped_up = await api.post("/v1/sessions", person.token, {"pin": PIN})
    person.token = stepped_up.json()["token"]
    before = await fingerprint(api)
    cases = [*of_every_route(world), *of_payments(world), *of_the_rest(world)]
    assert len(cases) >= 150
    wrong = []
    for n, case in enumerate(cases):
        answer = await _sent(api, case, n)
        if (complaint := _complaint(case, answer)) is not None:
            wrong.append(f"{case.what}: {complaint}")
    assert not wrong, "\n".join(wrong)
    assert await fingerprint(api) == before
    async with api.app.database.read() as db:
        kept = {row["status"] for row in await db.fetch("select distinct status from key_claim")}
    assert kept == {
        201,
        409,
    }  # the payment before the table, and conflicts: the one problem that a key remembers


async def _sent(api: Api, case: Case, number: int) -> httpx.Response:
    headers = dict(case.headers)
    if case.token is not None:
        headers["Authorization"] = f"Bearer {case.token}"
    if case.key is not None:
        headers["Idempotency-Key"] = f"{case.key}-{number}" if case.key == "bad-input" else case.key
    return await api.http.request(case.method, case.path, content=case.content or None, headers=headers)


def _complaint(case: Case, answer: httpx.Response) -> str | None:
    if not 400 <= answer.status_code < 500 or answer.status_code == 402:
        if case.codes:
            return f"{answer.status_code} {answer.text[:200]}"
        return f"{answer.status_code} {answer.text[:200]}" if answer.status_code >= 500 else None
    if answer.headers["content-type"] != "application/problem+json":
        return f"not a problem: {answer.text[:100]}"
    problem = answer.json()
    if case.codes and problem["code"] not in case.codes:
        return f"{problem['code']} ({problem['detail']}), not {sorted(case.codes)}"
    if not problem["title"] or "Traceback" in answer.text or "asyncpg" in answer.text:
        return f"not clear: {answer.text[:200]}"
    return None
