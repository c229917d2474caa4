"""Reading a stream: a Parquet file of card payments, such as the Fraud Detection Handbook's simulated transactions."""

from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from wufeng.base.errors import ConfigurationError
from wufeng.lab.play.model import Fault, Row, Stream

COLUMNS = ("transaction_id", "tx_datetime", "customer_id", "terminal_id", "tx_amount_cents")


def read_stream(file: Path, days: int) -> Stream:
    """The payments of a file's first days (24 hours from the first one's midnight), in order.

    Rows that cannot be payments are counted by fault. Raises ConfigurationError for a file that is no such stream.
    """
    table = _read(file)
    left_out: Counter[Fault] = Counter()
    rows: list[Row] = []
    seen: set[int] = set()
    ends_at: datetime | None = None
    for batch in table.to_batches():
        for values in zip(*(batch.column(name).to_pylist() for name in COLUMNS), strict=True):
            fault = _fault(values, seen, rows[-1] if rows else None)
            if fault is not None:
                left_out[fault] += 1
                continue
            row = Row(*values)
            if ends_at is None:
                ends_at = datetime.combine(row.at.date(), datetime.min.time()) + timedelta(days=days)
            if row.at >= ends_at:
                return Stream(tuple(rows), dict(left_out))
            seen.add(row.number)
            rows.append(row)
    return Stream(tuple(rows), dict(left_out))


def _read(file: Path) -> Any:
    try:
        return pq.read_table(file, columns=list(COLUMNS))
    except FileNotFoundError:
        raise ConfigurationError(f"there is no file {file}") from None
    except (pa.ArrowException, OSError, KeyError) as error:
        wanted = ", ".join(COLUMNS)
        reason = str(error).splitlines()[0]
        raise ConfigurationError(f"{file} is no stream of payments (columns {wanted}): {reason}") from None


def _fault(values: tuple[Any, ...], seen: set[int], last: Row | None) -> Fault | None:
    if any(value is None for value in values):
        return Fault.MISSING_VALUE
    number, at, _, _, amount = values
    if number in seen:
        return Fault.DUPLICATE
    if amount <= 0:
        return Fault.AMOUNT_NOT_POSITIVE
    if last is not None and at < last.at:
        return Fault.OUT_OF_ORDER
    return None
