"""The closes of business dates: what each did and how long it took, step by step and bucket by bucket."""

from collections.abc import Callable, Hashable, Sequence
from datetime import date, timedelta
from typing import TypeVar

from msgspec import Struct

from wufeng.credit import StepRun, load_interest, load_step_runs
from wufeng.credit.close.accruing import ACCRUALS
from wufeng.web.console.frame import show
from wufeng.web.paging import Door, Reply, Visit, pages_of

DAYS_SHOWN = 31

Key = TypeVar("Key", bound=Hashable)


class Trouble(Struct, frozen=True):
    """What a step could not do, and in which bucket."""

    bucket: int
    step: str
    text: str

    @property
    def is_retried(self) -> bool:
        """Whether the next close tries it again: interest that does not agree is only found again."""
        return self.step != ACCRUALS


class Total(Struct, frozen=True):
    """Some steps of closes together. `took_ms`: of all of them, one after the other."""

    row_count: int
    took_ms: int
    slowest_ms: int
    buckets: int
    troubles: tuple[Trouble, ...]


def _total(runs: Sequence[StepRun]) -> Total:
    by_bucket = _by(runs, lambda run: run.bucket)
    return Total(
        row_count=sum(run.row_count for run in runs),
        took_ms=sum(run.took_ms for run in runs),
        slowest_ms=max((sum(run.took_ms for run in of) for of in by_bucket.values()), default=0),
        buckets=len(by_bucket),
        troubles=tuple(Trouble(run.bucket, run.step, text) for run in runs for text in run.errors),
    )


def _by(runs: Sequence[StepRun], key: Callable[[StepRun], Key]) -> dict[Key, list[StepRun]]:
    """Runs by something of theirs, in the order in which it first appears."""
    groups: dict[Key, list[StepRun]] = {}
    for run in runs:
        groups.setdefault(key(run), []).append(run)
    return groups


async def closes(visit: Visit) -> Reply:
    """The latest closes, and one of them in full: the newest, or that of `on`."""
    on = visit.book.business_date(visit.at)
    chosen_on = _date(visit.field("on"))
    async with visit.services.database.read() as db:
        runs = await load_step_runs(db, visit.book.buckets, on - timedelta(days=DAYS_SHOWN), on)
        if chosen_on is not None:
            of_chosen = await load_step_runs(db, visit.book.buckets, chosen_on, chosen_on)
        interest = await load_interest(db, visit.book.buckets)
    dates = _by(runs, lambda run: run.business_on)
    if chosen_on is None:
        chosen_on = next(iter(dates), on)
        of_chosen = dates.get(chosen_on, [])
    return await show(
        visit,
        "closes.html",
        dates={one: _total(of_date) for one, of_date in dates.items()},
        chosen_on=chosen_on,
        chosen=_total(of_chosen),
        steps={step: _total(of_step) for step, of_step in _by(of_chosen, lambda run: run.step).items()},
        interest=interest,
        currency=visit.book.currency,
        buckets={of: _total(rows) for of, rows in sorted(_by(of_chosen, lambda run: run.bucket).items())},
    )


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


page = pages_of(Door.CONSOLE)

PAGES = (page("GET", "/console/closes", "console_closes", closes),)
