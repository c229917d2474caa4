"""I2: one key, and a body that is the same or is not."""

import json
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

import httpx

from wufeng.base.faults import Plant
from wufeng.prove.fleet import Definite, Intent
from wufeng.prove.model import Finding, Job, Outcome, Proof, Size
from wufeng.prove.stage import Stage, staged
from wufeng.prove.traffic import capture, pay, refund

SUBJECT = "caf\u00e9"
"""One letter of it can be written in two ways; to a machine these are two texts."""
REUSED = "idempotency_key_reused"
PIN = "190372"
WRONG_PINS = ("000000", "482910")


async def run(job: Job) -> Outcome:
    """A round: a payment, a capture and a refund, each sent again with every change in turn, then as it was."""
    async with staged(job, payers=4, shops=2, wallet_minor=10_000_00, pin=PIN) as stage:
        findings: list[Finding] = []
        changed = same = 0
        async with httpx.AsyncClient(timeout=30.0, trust_env=False) as http:
            for number in range(job.runs):
                if number and not job.left_s:
                    break
                requests, other_payment = await _requests(stage, number)
                for intent in requests:
                    first = await stage.fleet.ask(intent)
                    if first is None or not first.is_stored:
                        findings.append(Finding("start", f"{intent.key}: {first and first.code}"))
                        continue
                    for what, body in changes(intent.body, stage, other_payment):
                        findings += _expect_refused(intent, what, await _send(stage, http, intent, body))
                        changed += 1
                    for what, text in respellings(intent.body):
                        findings += _expect_same(intent, what, first, await _send(stage, http, intent, text))
                        same += 1
                job.tell(f"{number + 1} rounds of {job.runs}")
        audited = await stage.audit()
        counts = {**audited.counts, "changed_bodies": changed, "same_bodies": same}
        figure = (
            f"{changed} changed bodies refused, {same} respelt ones answered alike, {len(findings)} wrong"
        )
        return Outcome(counts, figure, (*findings, *audited.findings))


async def _requests(stage: Stage, number: int) -> tuple[list[Intent], str]:
    """A payment with every field there is, a capture, a refund; and a payment of somebody else's at the same shop."""
    name, payer, shop = f"{stage.job.run_id}-{number}", stage.town.payers[number % 4], stage.town.shops[0]
    plain = pay(f"{name}-p", payer, shop, 5_00)
    order = {
        **_mapping(plain.body["order"]),
        "subject": SUBJECT,
        "scene": "retail",
        "receipt": "none",
        "metadata": {"table": "7", "note": SUBJECT},
    }
    full = Intent(
        key=plain.key,
        caller=payer.caller,
        path=plain.path,
        order_no=plain.order_no,
        body={
            "order": order,
            "payer": None,
            "funding": [{"line": payer.line, "tenor": 1}],
            "capture": "now",
            "confirmation": {"kind": "pin", "proof": PIN},
        },
    )
    later = await stage.fleet.ask(pay(f"{name}-a", payer, shop, 9_00, capture="later"))
    done = await stage.fleet.ask(pay(f"{name}-r", payer, shop, 9_00))
    other = await stage.fleet.ask(pay(f"{name}-o", stage.town.payers[(number + 1) % 4], shop, 9_00))
    assert later is not None and done is not None and other is not None, "the server answers"
    requests = [
        full,
        capture(f"{name}-c", shop, str(later.view()["id"]), 4_00),
        refund(f"{name}-f", shop, str(done.view()["id"]), 3_00),
    ]
    return requests, str(other.view()["id"])


def changes(
    body: Mapping[str, object], stage: Stage, other_payment: str
) -> Iterator[tuple[str, dict[str, object]]]:
    """Every leaf of a body changed to another value that is valid there, one at a time; and one taken away."""
    for path, value in leaves(body):
        for other in _others(path, value, stage, other_payment):
            yield f"{'/'.join(path)} is {other!r}", _with(body, path, other)
    if "order" in body:
        yield "a wallet beside the line", _with_wallet(body, stage)
        without = {**_mapping(body["order"])}
        del without["metadata"]
        yield "no metadata", {**body, "order": without}


def leaves(value: object, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], object]]:
    """The values of a body with their paths."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from leaves(item, (*path, name))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from leaves(item, (*path, str(number)))
    else:
        yield path, value


def _others(path: tuple[str, ...], value: object, stage: Stage, other_payment: str) -> list[object]:
    """Other values for a field: none for proofs, and where no other one passes the border (the book's currency)."""
    name = path[-1]
    if name in ("currency", "kind", "proof") or value is None:
        return []
    known: dict[str, list[object]] = {
        "merchant": [stage.town.shops[1].name],
        "scene": ["catering"],
        "receipt": ["confirm"],
        "capture": ["later"],
        "line": [stage.town.payers[-1].line],
        "tenor": [3],
        "final": [False],
        "payment": [other_payment],
    }
    if name in known:
        return [other for other in known[name] if other != value]
    if isinstance(value, int):
        return [value + 1, value * 100]
    text = str(value)
    apart = unicodedata.normalize("NFD", text)
    return [text + "x", *([apart] if apart != text else [])]


def _with(body: Mapping[str, object], path: tuple[str, ...], value: object) -> dict[str, object]:
    copy: Any = json.loads(json.dumps(body))
    at = copy
    for name in path[:-1]:
        at = at[int(name) if isinstance(at, list) else name]
    at[path[-1]] = value
    changed: dict[str, object] = copy
    return changed


def _with_wallet(body: Mapping[str, object], stage: Stage) -> dict[str, object]:
    line = str(body["funding"])
    payer = next(payer for payer in stage.town.payers if payer.line in line)
    return {**body, "funding": [{"wallet": payer.wallet}, {"line": payer.line, "tenor": 1}]}


def respellings(body: Mapping[str, object]) -> Iterator[tuple[str, bytes]]:
    """The same request in other words: order of fields, spaces, escapes, defaults said or not; and other proofs."""
    yield "as it was", json.dumps(body).encode()
    yield "spaces", json.dumps(body, indent=3).encode()
    yield "no spaces", json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
    yield "fields reversed", json.dumps(_reversed(body)).encode()
    yield "fields sorted, escaped", json.dumps(body, sort_keys=True, ensure_ascii=True).encode()
    if "order" in body:
        short = {name: value for name, value in body.items() if name not in ("capture", "payer")}
        yield "defaults left out", json.dumps(short).encode()
        # The key is looked up before a proof is tried, so that not even a wrong one costs a try.
        for proof in WRONG_PINS:
            other = {**body, "confirmation": {"kind": "pin", "proof": proof}}
            yield "another proof", json.dumps(other).encode()
    elif "final" in body:
        yield "defaults left out", json.dumps({k: v for k, v in body.items() if k != "final"}).encode()


def _reversed(value: object) -> object:
    if isinstance(value, Mapping):
        return {name: _reversed(value[name]) for name in reversed(list(value))}
    return value


async def _send(
    stage: Stage, http: httpx.AsyncClient, intent: Intent, body: Mapping[str, object] | bytes
) -> Definite | None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await stage.fleet.send_once(http, intent, content)


def _expect_refused(intent: Intent, what: str, answer: Definite | None) -> list[Finding]:
    if answer is not None and answer.code == REUSED:
        return []
    return [Finding("changed", f"{intent.key}, {what}: {answer and (answer.code or answer.status)}")]


def _expect_same(intent: Intent, what: str, first: Definite, answer: Definite | None) -> list[Finding]:
    if answer is not None and (answer.status, answer.body) == (first.status, first.body):
        return []
    return [Finding("same", f"{intent.key}, {what}: {answer and (answer.code or answer.status)}")]


def _mapping(value: object) -> dict[str, object]:
    assert isinstance(value, dict), "an inline order"
    return value


PROOF = Proof(
    id="I2",
    promise="A key stands for one request: any other is refused, the same one in other words is not.",
    how="each field changed in turn, unicode forms; order of fields, spaces, escapes, defaults, other proofs",
    unit="rounds",
    runs={Size.SMALL: 1, Size.NORMAL: 6, Size.FULL: 1_000},
    run=run,
    catches=(Plant.FORGET_CLAIM,),
)
