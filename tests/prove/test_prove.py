"""The proofs under test: small ones hold, and each fails on a product with a mistake in it."""

import asyncio
import json
import random
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from wufeng.base import faults
from wufeng.base.errors import ConfigurationError
from wufeng.cli.prove import TOOLS
from wufeng.prove import Leavings, Result, Size, find_proofs, proof_ids, run_proofs
from wufeng.prove.faulting import strike_often
from wufeng.prove.fleet import Fleet, Log
from wufeng.prove.town import Caller
from wufeng.prove.traffic import Intent

pytestmark = pytest.mark.timeout(600)
SEED = 7


async def small(*ids: str) -> dict[str, Result]:
    """Run proofs in their small sizes."""
    results = await run_proofs(find_proofs(ids), TOOLS, seed=SEED, size=Size.SMALL, leavings=Leavings.DISCARD)
    return {result.id: result for result in results}


@pytest.mark.parametrize(
    "ids", [("I1", "I2", "C1", "C3"), ("F1", "F2"), ("F3",), ("C6", "C8", "P1")], ids=" ".join
)
async def test_the_proofs_hold(ids: tuple[str, ...]) -> None:
    results = await small(*ids)
    assert {id_: result.findings for id_, result in results.items()} == dict.fromkeys(ids, ())
    assert all(result.figure and result.counts for result in results.values())


async def test_a_limit_that_is_forgotten_in_a_batch_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "WUFENG_PLANT", faults.Plant.SKIP_LIMIT
    )  # for the server, which is a process of its own
    result = (await small("C1"))["C1"]
    assert {finding.check for finding in result.findings} >= {"over", "limit"}


@pytest.mark.parametrize(
    ("id_", "plant", "check"),
    [
        ("C6", faults.Plant.BATCH_FAILS_TOGETHER, "bystander"),
        ("P1", faults.Plant.ROUND_TWICE, "model"),
    ],
)
async def test_a_planted_bug_is_found(
    monkeypatch: pytest.MonkeyPatch, id_: str, plant: faults.Plant, check: str
) -> None:
    monkeypatch.setattr(faults, "planted", lambda asked: asked is plant)
    result = (await small(id_))[id_]
    assert check in {finding.check for finding in result.findings}


def test_every_planted_bug_has_a_proof_that_promises_to_find_it() -> None:
    promised = {plant for proof in find_proofs([]) for plant in proof.catches}
    assert promised == set(faults.Plant)


def test_proofs_are_found_by_their_ids() -> None:
    assert proof_ids() == ["C1", "C3", "C6", "C8", "F1", "F2", "F3", "I1", "I2", "P1"]
    assert [proof.id for proof in find_proofs(["f1", "I1"])] == ["F1", "I1"]
    with pytest.raises(ConfigurationError, match="there is no proof X9; there are C1"):
        find_proofs(["X9"])


def intent(key: str) -> Intent:
    """A request of one caller."""
    return Intent(
        key=key, caller=Caller(UUID(int=5), "secret"), path="/v1/payments", body={"amount_minor": 1}
    )


async def test_what_is_meant_is_written_down_before_it_is_sent(tmp_path: Path) -> None:
    log = Log(tmp_path / "log.jsonl")
    async with Fleet("http://127.0.0.1:9", log) as fleet, httpx.AsyncClient() as http:
        log.intend(intent("k1"))
        assert await fleet.send_once(http, intent("k1")) is None
    (line,) = log.path.read_text().splitlines()
    assert json.loads(line)["intent"] == "k1"
    assert "secret" not in line
    assert [one.key for one in log.unresolved()] == ["k1"]
    log.close()


async def test_kills_end_in_time_and_a_service_that_does_not_come_back_is_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wufeng.prove.faulting.RECOVERS_WITHIN_S", 0.05)
    log = Log(tmp_path / "log.jsonl")

    async def strike() -> str:
        return "app"

    kills = await strike_often(
        strike, log, 5, random.Random(1), asyncio.get_running_loop().time(), lambda _: None
    )
    assert [(kill.what, kill.recovery_s) for kill in kills] == [("app", None)]
    log.close()
