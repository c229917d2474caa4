"""`wufeng bench payments`: payments at the counter beside the plain credit payment, over HTTP in one run.

A till pays by codes that enrolled phones make without a connection, among a million enrolled phones; a person pays the
order that a merchant's printed code has made; the reference is a person's payment on credit. They take turns, round by
round, at the same load; ratios are of medians over the rounds.
"""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from typing import TypeVar

import msgspec
from msgspec import Struct

from wufeng import ledger
from wufeng.base.database import Connection
from wufeng.base.ids import Prefix, encode
from wufeng.bench import payments_store
from wufeng.bench.measure import HttpLoad, Point
from wufeng.bench.pay import Served
from wufeng.bench.payments_store import Phone
from wufeng.bench.proofs import passkey_ms, pin_ms
from wufeng.bench.world import AMOUNTS_MINOR, Parts, Payer, World
from wufeng.identity.merchants.commands import create_merchant
from wufeng.identity.merchants.model import FeePlan, Merchant, Scene
from wufeng.payments.offered import terms_of
from wufeng.payments.orders.commands import CreateOrder
from wufeng.payments.orders.model import Channel
from wufeng.payments.pay_codes import rules
from wufeng.payments.pay_codes.commands import handle_name
from wufeng.payments.pay_codes.resolving import PayCodes, Shown

T = TypeVar("T")
Request = tuple[str, dict[str, object]]
"""A credential and a body."""

TILLS = 20
IN_FLIGHT = 64
WARM_S = 1
CHUNK = 256
SHARED = 64
PROOFS = 50


class Plan(Struct, frozen=True, kw_only=True):
    """How long and how often. `requests` of each kind are made ready for a round: enough for its seconds."""

    rounds: int = 3
    seconds: int = 4
    devices: int = 1_000_000
    requests: int = 12_000
    resolutions: int = 2_000


class Till(Struct, frozen=True):
    """A merchant with its key."""

    merchant: Merchant
    key: str


class Subjects(Struct, frozen=True, kw_only=True):
    """What is measured. `resolver` works in this process; `serve` starts the HTTP server beside it."""

    parts: Parts
    world: World
    owner: Connection
    resolver: PayCodes
    scratch: Path
    serve: Callable[[], AbstractContextManager[Served]]
    catch_up: Callable[[], Awaitable[None]]
    say: Callable[[str], None]


class Figures(Struct, frozen=True, kw_only=True):
    """What `wufeng bench payments --json` prints.

    paycode_ratio, qr_ratio  rate over HTTP ÷ that of the plain credit payment
    resolve_us               one code alone, at the median; resolve_shared_us: a code, when 64 come at a time
    """

    paycode_ratio: float
    qr_ratio: float
    passkey_ms: float
    pin_ms: float
    resolve_us: int
    resolve_shared_us: int
    plain_per_second: float
    paycode_per_second: float
    qr_per_second: float
    paycode_p99_ms: float
    devices: int
    in_flight: int
    rounds: int
    errors: int
    ledger_ok: bool
    seconds: float


async def bench_payments(subjects: Subjects, plan: Plan) -> Figures:
    """Measure in turns; in the end the ledger verifies."""
    began_s = time.perf_counter()
    parts, say = subjects.parts, subjects.say
    say("tills")
    tills = [await _till(parts, number) for number in range(TILLS)]
    say(f"{plan.devices:,} enrolled phones")
    phones = _phones(parts, subjects.world.payers, (plan.rounds + 1) * plan.requests)
    crowd = plan.devices - len(phones)
    await payments_store.enrol_phones(subjects.owner, parts.book, phones, crowd, parts.now())
    own, *rounds = _in_parts(phones, plan.requests)
    say("resolving codes")
    alone_us, shared_us = await _resolve(subjects, own[: plan.resolutions], tills)
    points: dict[str, list[Point]] = {"plain": [], "paycode": [], "qr": []}
    for number, showing in enumerate(rounds, 1):
        say(f"round {number} of {plan.rounds}: orders of printed codes")
        qr = await _qr_requests(parts, subjects.world, tills, plan.requests)
        with subjects.serve() as served:
            for kind in points:
                say(f"round {number} of {plan.rounds}: {kind}")
                points[kind].append(_measure(subjects, served, kind, tills, showing, qr, plan))
    say("proofs")
    pin, passkey = await pin_ms(PROOFS), passkey_ms(PROOFS, parts.now())
    await subjects.catch_up()
    say("proving the ledger")
    report = await ledger.verify(parts.database, parts.book.buckets)
    rates = {kind: median(point.per_second for point in found) for kind, found in points.items()}
    return Figures(
        paycode_ratio=round(rates["paycode"] / rates["plain"], 3),
        qr_ratio=round(rates["qr"] / rates["plain"], 3),
        passkey_ms=passkey,
        pin_ms=pin,
        resolve_us=alone_us,
        resolve_shared_us=shared_us,
        plain_per_second=rates["plain"],
        paycode_per_second=rates["paycode"],
        qr_per_second=rates["qr"],
        paycode_p99_ms=median(point.p99_ms for point in points["paycode"]),
        devices=plan.devices,
        in_flight=IN_FLIGHT,
        rounds=plan.rounds,
        errors=sum(point.errors for found in points.values() for point in found),
        ledger_ok=not report.breaks,
        seconds=round(time.perf_counter() - began_s, 1),
    )


def _measure(
    subjects: Subjects,
    served: Served,
    kind: str,
    tills: Sequence[Till],
    showing: Sequence[Phone],
    qr: Sequence[Request],
    plan: Plan,
) -> Point:
    """One load of one kind, warmed up by requests of its own: codes and orders are paid once."""
    warm, file = subjects.scratch / f"{kind}-warm.jsonl", subjects.scratch / f"{kind}.jsonl"
    if kind == "plain":
        subjects.world.write_requests(warm)
        subjects.world.write_requests(file)
    else:
        requests = list(qr) if kind == "qr" else list(_scanned(subjects.parts, tills, showing))
        for_warming = len(requests) * WARM_S // (WARM_S + plan.seconds)
        _write(warm, requests[:for_warming])
        _write(file, requests[for_warming:])
    HttpLoad(served.port, warm).closed(IN_FLIGHT, WARM_S)
    return HttpLoad(served.port, file).closed(IN_FLIGHT, plan.seconds)


async def _till(parts: Parts, number: int) -> Till:
    merchant, key = await create_merchant(
        parts.database,
        parts.lanes.ids,
        parts.book,
        f"Till {number}",
        Scene.RETAIL,
        FeePlan(6_000),
        parts.now(),
    )
    return Till(merchant, key.text)


def _phones(parts: Parts, payers: Sequence[Payer], count: int) -> list[Phone]:
    """Phones with handles and secrets as `wufeng` gives them out, spread over the payers."""
    phones: dict[str, Phone] = {}
    whose = cycle(payers)
    while len(phones) < count:
        payer, handle = next(whose), rules.new_handle(secrets.randbelow)
        name, secret = handle_name(parts.vault, parts.book, handle), secrets.token_bytes(rules.SECRET_BYTES)
        phones[handle] = Phone(
            bucket=payer.bucket,
            device_id=parts.lanes.ids.new_anywhere(parts.now()),
            person_id=payer.id,
            line_id=payer.line_id,
            handle=handle,
            secret=secret,
            handle_bucket=parts.book.bucket_of(name),
            handle_name=name,
            sealed=parts.vault.seal_pay_secret(name, secret),
        )
    return list(phones.values())


async def _resolve(subjects: Subjects, phones: Sequence[Phone], tills: Sequence[Till]) -> tuple[int, int]:
    """Microseconds a code: alone at the median, and when 64 come at a time. Nothing is used up by it."""
    parts, resolver = subjects.parts, subjects.resolver
    merchant_id = tills[0].merchant.id

    async def one(phone: Phone) -> float:
        at = parts.now()
        shown = Shown(rules.offline_code(phone.handle, phone.secret, at), merchant_id, None)
        began_s = time.perf_counter()
        found = await resolver.resolve(parts.book, shown, at)
        took_s = time.perf_counter() - began_s
        assert found is not None and found.payer_id == phone.person_id, "its own person"
        return took_s

    await asyncio.gather(*(one(phone) for phone in phones[:SHARED]))  # statements are prepared
    alone = [await one(phone) for phone in phones]
    began_s = time.perf_counter()
    for together in _in_parts(phones, SHARED):
        await asyncio.gather(*(one(phone) for phone in together))
    shared_s = time.perf_counter() - began_s
    return round(median(alone) * 1e6), round(shared_s / len(phones) * 1e6)


async def _qr_requests(parts: Parts, world: World, tills: Sequence[Till], count: int) -> list[Request]:
    """Orders of printed codes, each with the payment that its payer makes of it."""
    requests: list[Request] = []

    async def one(payer: Payer, till: Till) -> None:
        at, named = parts.now(), parts.lanes.ids.new_anywhere(parts.now())
        amount_minor = secrets.choice(range(*AMOUNTS_MINOR))
        terms = terms_of(
            Channel.STATIC_CODE, till.merchant, parts.book, payer.id, named, amount_minor, "Bench", at, {}
        )
        await parts.lanes.submit(parts.book.bucket_of(terms.id), CreateOrder(at=at, terms=terms))
        body: dict[str, object] = {
            "order": encode(Prefix.ORDER, terms.id),
            "funding": [{"line": encode(Prefix.LINE, payer.line_id)}],
        }
        requests.append((payer.token, body))

    pairs = list(islice(zip(cycle(world.payers), cycle(tills), strict=False), count))
    for chunk in _in_parts(pairs, CHUNK):
        await asyncio.gather(*(one(payer, till) for payer, till in chunk))
    return requests


def _write(file: Path, requests: Sequence[Request]) -> None:
    with file.open("wb") as out:
        for token, body in requests:
            out.write(msgspec.json.encode((f"Bearer {token}", msgspec.json.encode(body).decode())) + b"\n")


def _scanned(parts: Parts, tills: Sequence[Till], showing: Sequence[Phone]) -> Iterator[Request]:
    """What tills send. Codes are of this minute: they are sent at once."""
    at = parts.now()
    for phone, till in zip(showing, cycle(tills), strict=False):
        order = {
            "order_no": "@",
            "amount_minor": secrets.choice(range(*AMOUNTS_MINOR)),
            "currency": parts.book.currency,
            "subject": "Bench",
        }
        yield till.key, {"order": order, "pay_code": rules.offline_code(phone.handle, phone.secret, at)}


def _in_parts(items: Sequence[T], size: int) -> list[Sequence[T]]:
    return [items[start : start + size] for start in range(0, len(items), size)]
