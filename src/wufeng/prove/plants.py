"""Planted bugs: a test that has never failed proves nothing, so each proof is run on a product with a mistake in it."""

import asyncio
import os
import sys
from collections.abc import Callable, Mapping, Sequence

import msgspec
from msgspec import Struct

from wufeng.base.faults import Plant
from wufeng.prove.model import HARNESS, Proof, Result, Size

WITHIN_S = 900.0


class Caught(Struct, frozen=True, kw_only=True):
    """One planted bug: which proofs were tried on it, and which of them failed, by which checks.

    ok  whether at least one caught it, and none that promises to missed it
    """

    plant: str
    tried: tuple[str, ...]
    caught_by: Mapping[str, tuple[str, ...]]
    missed_by: tuple[str, ...]
    ok: bool


async def plant_all(
    proofs: Sequence[Proof],
    command: Sequence[str],
    *,
    seed: int,
    size: Size,
    tell: Callable[[str], None],
) -> list[Caught]:
    """Run proofs in a process of its own for each planted bug, since a bug is planted when a process starts.

    Each bug is tried on the proofs that promise to catch it (`Proof.catches`); with Size.FULL on all.
    """
    found = []
    for plant in Plant:
        tried = [proof for proof in proofs if plant in proof.catches or size is Size.FULL]
        if not tried:
            continue
        tell(f"{plant.value}: {', '.join(proof.id for proof in tried)}")
        results = await _run_planted(plant, tried, command, seed, size)
        found.append(_judge(plant, tried, results))
        tell(f"{plant.value}: caught by {', '.join(found[-1].caught_by) or 'nobody'}")
    return found


async def _run_planted(
    plant: Plant, proofs: Sequence[Proof], command: Sequence[str], seed: int, size: Size
) -> list[Result]:
    words = [*command, "prove", *(proof.id for proof in proofs), "--seed", str(seed), "--json", "--discard"]
    words += [] if size is Size.NORMAL else ["--small"]
    process = await asyncio.create_subprocess_exec(
        *words,
        env={**os.environ, "WUFENG_PLANT": plant.value},
        stdout=asyncio.subprocess.PIPE,
        stderr=sys.stderr,
    )
    try:
        async with asyncio.timeout(WITHIN_S):
            out, _ = await process.communicate()
    except TimeoutError:
        process.terminate()
        await process.wait()
        return []
    if not out.strip():
        return []
    if len(proofs) == 1:
        return [msgspec.json.decode(out, type=Result)]
    return msgspec.json.decode(out, type=list[Result])


def _judge(plant: Plant, proofs: Sequence[Proof], results: Sequence[Result]) -> Caught:
    checks = {
        result.id: tuple(sorted({finding.check for finding in result.findings} - {HARNESS}))
        for result in results
    }
    caught = {
        id_: names for id_, names in checks.items() if names
    }  # a proof that broke down has shown nothing
    missed = tuple(proof.id for proof in proofs if plant in proof.catches and proof.id not in caught)
    tried = tuple(proof.id for proof in proofs)
    return Caught(
        plant=plant.value, tried=tried, caught_by=caught, missed_by=missed, ok=bool(caught) and not missed
    )
