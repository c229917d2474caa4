"""A played stream: rows that cannot be are counted and named, the rest is paid, billed, repaid, and proved."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from msgspec.structs import replace

from wufeng.app import Background, Draft, found, opened
from wufeng.base.books import Mode
from wufeng.base.clock import FixedClock, SystemClock
from wufeng.base.config import Settings
from wufeng.base.errors import ConfigurationError
from wufeng.lab.play import Engine, Played, PlaySettings, play, read_stream
from wufeng.lab.play.model import Fault

MIDNIGHT = datetime(2018, 4, 1)  # noqa: DTZ001  the stream's times are local


def write(file: Path, rows: list[tuple[Any, ...]]) -> Path:
    columns = ("transaction_id", "tx_datetime", "customer_id", "terminal_id", "tx_amount_cents")
    pq.write_table(pa.table(dict(zip(columns, zip(*rows, strict=True), strict=True))), file)
    return file


def rows_of(days: int, a_day: int) -> list[tuple[Any, ...]]:
    """Payments of ten cards at thirty terminals, evenly over the days; one in seven is large enough for instalments."""
    return [
        (
            n,
            MIDNIGHT + timedelta(minutes=n * 1_440 // a_day),
            n % 10,
            n % 30,
            15_000 if n % 7 == 0 else 500 + n,
        )
        for n in range(days * a_day)
    ]


def test_rows_that_cannot_be_payments_are_counted_and_named(tmp_path: Path) -> None:
    good = rows_of(1, 4)
    rows = [
        good[0],
        (1, good[1][1], 1, 1, 0),
        (2, good[2][1], 1, 1, -5),
        (0, good[2][1], 1, 1, 100),
        (3, None, 1, 1, 100),
        (4, good[0][1] - timedelta(minutes=1), 1, 1, 100),
        good[3],
        (9, MIDNIGHT + timedelta(days=1), 1, 1, 100),
    ]
    stream = read_stream(write(tmp_path / "s.parquet", rows), 1)
    assert [row.number for row in stream.rows] == [0, 3]
    assert stream.left_out == {
        Fault.AMOUNT_NOT_POSITIVE: 2,
        Fault.DUPLICATE: 1,
        Fault.MISSING_VALUE: 1,
        Fault.OUT_OF_ORDER: 1,
    }


@pytest.mark.parametrize("text", [b"", b"PAR1", b"not a table at all"])
def test_a_file_that_is_no_stream_is_told_in_one_line(tmp_path: Path, text: bytes) -> None:
    file = tmp_path / "s.parquet"
    file.write_bytes(text)
    with pytest.raises(ConfigurationError, match="no stream of payments"):
        read_stream(file, 1)
    with pytest.raises(ConfigurationError, match="there is no file"):
        read_stream(tmp_path / "absent", 1)


async def played(settings: Settings, file: Path, name: str, **habits: Any) -> Played:
    stream = read_stream(file, 2)
    await found(settings, [Draft(name=name, mode=Mode.TEST, begins_on=stream.rows[0].at.date())])
    async with opened(settings, clock=FixedClock(SystemClock().now()), background=Background.OFF) as app:
        engine = Engine(
            database=app.database,
            books=app.books,
            lanes=app.lanes,
            vault=app.services.vault,
            turn_day=lambda book: app.services.turn_days(book, 1),
            catch_up=app.services.followers.catch_up,
        )
        return await play(engine, app.books.named(name), stream, PlaySettings(**habits), lambda *_: None)


async def test_a_stream_is_paid_billed_repaid_and_proved_twice(settings: Settings, tmp_path: Path) -> None:
    file = write(tmp_path / "s.parquet", rows_of(2, 60))
    first = await played(settings, file, "play-1", late_share_ppm=500_000)
    assert (first.payments, first.people) == (120, 10)
    assert first.approved == 120 - sum(first.declined.values())
    assert first.ledger_ok, first.ledger_breaks
    assert first.bills >= 1
    assert first.repaid_in_time + first.repaid_late >= 1
    assert first.suspended_lines == first.bills - first.repaid_in_time - first.repaid_late > 0
    assert first.days_closed == 44  # 1 April to 14 May: the clock ends on the 15th
    again = await played(settings, file, "play-2", late_share_ppm=500_000)
    # Journals: each bucket books what its own lines have earned, and who falls into which bucket is chance.
    same = {"book": "", "seconds": 0.0, "payments_per_s": 0.0, "journals_proved_per_s": 0, "journals": 0}
    assert replace(again, **same) == replace(
        first, **same
    )  # the same seed, the same life, in a book of its own
