"""Folded balances: each journal counts once, also when processes race and one is killed half-way."""

import asyncio
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.ledger.conftest import Ledger

from wufeng.base.config import Settings
from wufeng.base.followers import Followers, step
from wufeng.ledger import FOLLOWER, AccountKind, folded_balances, verify

FOLDER = """
import asyncio, sys
from pathlib import Path
from wufeng.base.config import Durability, Settings
from wufeng.base.database import Database
from wufeng.base.followers import step
from wufeng.ledger import FOLLOWER

async def main(data_dir, name, bucket):
    settings = Settings(data_dir=Path(data_dir), database_name=name, durability=Durability.UNSAFE_FOR_TESTS)
    async with Database(settings) as database:
        db = await database.connect("folder")
        print("ready", flush=True)
        while await step(db, FOLLOWER, bucket, 3):
            pass

asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
"""


async def payable(ledger: Ledger) -> int:
    account = ledger.account(AccountKind.MERCHANT_PAYABLE)
    async with ledger.database.read() as db:
        return (await folded_balances(db, ledger.book.buckets, [account]))[account]


async def open_cursor(ledger: Ledger) -> None:
    await ledger.owner.execute("insert into cursor (bucket, follower) values ($1, 'fold')", ledger.bucket)


async def test_what_is_folded_is_what_was_posted(ledger: Ledger) -> None:
    await ledger.post(*(ledger.buy(amount) for amount in range(1, 101)))
    assert await payable(ledger) == 0
    await ledger.fold()
    assert await payable(ledger) == -5_050
    await ledger.fold()
    assert await payable(ledger) == -5_050, "there is nothing to fold twice"


async def test_pieces_add_up_to_the_whole(ledger: Ledger) -> None:
    """The span of a step changes nothing, and events between journals are gaps in their numbers."""
    await open_cursor(ledger)
    random_spans = random.Random(3)
    await ledger.post(*(ledger.buy(amount) for amount in range(1, 101)))
    async with ledger.database.read() as db:
        while await step(db, FOLLOWER, ledger.bucket, random_spans.randint(1, 9)):
            assert (await verify(ledger.database)).breaks == ()
    assert await payable(ledger) == -5_050


async def test_processes_that_fold_the_same_bucket_fold_it_once(ledger: Ledger) -> None:
    await ledger.post(*(ledger.buy(amount) for amount in range(1, 201)))
    others = [Followers(ledger.database, [FOLLOWER]) for _ in range(3)]
    await asyncio.gather(*(other.catch_up() for other in others))
    assert await payable(ledger) == -20_100
    assert (await verify(ledger.database)).breaks == ()


@pytest.mark.parametrize("point", ["follower_acted", "follower_moved"])
async def test_a_process_killed_between_folding_and_recording_leaves_nothing_of_the_step(
    ledger: Ledger, settings: Settings, point: str
) -> None:
    await open_cursor(ledger)
    await ledger.post(*(ledger.buy(amount) for amount in range(1, 31)))
    killed = await asyncio.to_thread(
        subprocess.run,
        [
            sys.executable,
            "-c",
            FOLDER,
            str(settings.data_dir),
            settings.database_name,
            str(ledger.bucket),
        ],
        env=os.environ | {"WUFENG_FAULTS": f"{point}:exit:4", "PYTHONPATH": str(Path("src").resolve())},
        capture_output=True,
        text=True,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert await payable(ledger) == -sum(range(1, 10)), "three steps of three journals, the fourth undone"
    await ledger.fold()
    assert await payable(ledger) == -sum(range(1, 31))
    assert (await verify(ledger.database)).breaks == ()
