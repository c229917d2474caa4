"""The page docs/reliability.md: rendered from the results, never written by hand.

The results stand beside the page as JSON (`reliability.json`); a run of some proofs replaces theirs alone.
"""

import os
import platform
from collections.abc import Sequence
from pathlib import Path

import msgspec
import psutil
from msgspec import Struct
from msgspec.structs import replace

from wufeng.prove.model import Result
from wufeng.prove.plants import Caught
from wufeng.prove.registry import find_proofs, proof_ids


class Machine(Struct, frozen=True):
    """What the figures were got on."""

    cores: int
    memory_gb: int
    system: str


class Report(Struct, frozen=True, kw_only=True):
    """Everything that a page shows."""

    results: tuple[Result, ...] = ()
    plants: tuple[Caught, ...] = ()
    machine: Machine | None = None


def render(page: Path, new: Report) -> None:
    """Take new results into the page's JSON, and write the page from it."""
    kept = page.with_suffix(".json")
    old = msgspec.json.decode(kept.read_bytes(), type=Report) if kept.exists() else Report()
    report = merged(old, new, this_machine())
    page.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n")
    page.write_text(markdown(report), encoding="utf-8")


def merged(old: Report, new: Report, machine: Machine) -> Report:
    """The newer result of each proof and of each planted bug."""
    results = {result.id: replace(result, kept_in=None) for result in (*old.results, *new.results)}
    plants = {one.plant: one for one in (*old.plants, *new.plants)}
    return Report(
        results=tuple(results[id_] for id_ in sorted(results)),
        plants=tuple(plants.values()),
        machine=machine,
    )


def this_machine() -> Machine:
    """The machine that we run on."""
    return Machine(
        os.cpu_count() or 1,
        round(psutil.virtual_memory().total / 2**30),
        f"{platform.system()} {platform.machine()}",
    )


def markdown(report: Report) -> str:
    """The page."""
    return "\n".join([*_head(report), *_proofs(report.results), *_planted(report.plants), ""])


def _head(report: Report) -> list[str]:
    machine = report.machine
    where = (
        f" On {machine.cores} cores, {machine.memory_gb} GB, {machine.system}." if machine is not None else ""
    )
    return [
        "# Reliability",
        "",
        "Rendered by `wufeng prove --report docs/reliability.md`; do not edit. Each proof attacks one promise on a",
        "scratch copy; where a server or the database is killed, with durability on. Those over HTTP (C1, C3, C8, F1,",
        "F2, I) end in one final audit: the ledger verifies, every answer that a client holds is in the database with",
        "the same bytes, every payment was meant by a client, no key and no order has two effects, nothing is beyond",
        "its bounds, no budget is overspent, and all",
        f"followers have reached the heads.{where}",
        "",
    ]


def _proofs(results: Sequence[Result]) -> list[str]:
    known = {proof.id: proof for proof in find_proofs([])}
    lines = ["| proof | promise | how | figure | holds | s | seed |", "|---|---|---|---|---|---|---|"]
    for result in results:
        proof = known.get(result.id)
        promise, how = (proof.promise, proof.how) if proof is not None else ("", "")
        holds = "yes" if result.ok else "**no**"
        lines.append(
            f"| {result.id} | {promise} | {how} | {result.figure} | {holds} | {result.duration_s:.0f} "
            f"| {result.seed} |"
        )
    missing = [id_ for id_ in proof_ids() if id_ not in {result.id for result in results}]
    if missing:
        lines += ["", f"Not run for this page: {', '.join(missing)}."]
    return [*lines, "", "Repeat one: `wufeng prove F1 --seed 7`; how much: `--runs N`, `--full`.", ""]


def _planted(plants: Sequence[Caught]) -> list[str]:
    if not plants:
        return []
    lines = [
        "## Planted bugs",
        "",
        "A proof that has never failed shows nothing: `wufeng prove --plants` runs them on a product with a mistake.",
        "",
        "| bug | caught by | missed by |",
        "|---|---|---|",
    ]
    for one in plants:
        caught = "; ".join(f"{id_} ({', '.join(checks)})" for id_, checks in sorted(one.caught_by.items()))
        lines.append(f"| `{one.plant}` | {caught or '**nobody**'} | {', '.join(one.missed_by) or 'nobody'} |")
    return lines
