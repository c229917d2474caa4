"""What benchmarks of the command line share: a scratch installation, a server process, the engine in this process."""

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from msgspec.structs import replace

from wufeng.app import App
from wufeng.base.config import Settings, load_settings
from wufeng.bench.pay import Served
from wufeng.bench.world import Parts
from wufeng.cli.serving import asked_like_ctrl_c, free_port, running_server

BOOK = "bench-pay"


@contextmanager
def scratch_settings() -> Iterator[Settings]:
    """Settings of an installation of the benchmark's own; nothing of it is left, also after a SIGTERM."""
    with (
        asked_like_ctrl_c(),
        tempfile.TemporaryDirectory(prefix="wufeng-bench-", ignore_cleanup_errors=True) as scratch,
    ):
        yield replace(load_settings(), data_dir=Path(scratch) / "data", database_url=None, port=0)


def teller() -> Callable[[str], None]:
    """Says on standard error what is measured now, and when it began: standard output is for the figures."""
    began_s = time.monotonic()

    def say(text: str) -> None:
        sys.stderr.write(f"{time.monotonic() - began_s:6.1f} s  {text}\n")
        sys.stderr.flush()

    return say


def parts_of(app: App) -> Parts:
    """The engine of this process in the benchmark's book."""
    book = app.books.named(BOOK)
    return Parts(
        database=app.database,
        lanes=app.lanes,
        vault=app.services.vault,
        book=book,
        now=lambda: book.at(app.services.clock),
    )


@contextmanager
def served(settings: Settings, workers: int) -> Iterator[Served]:
    """`wufeng serve` as a process of its own on the scratch installation."""
    environment = {**os.environ, "WUFENG_LOG_LEVEL": "warning"}
    own = replace(settings, port=free_port(), workers=workers)
    with running_server(own, settings.data_dir / "serve.log", environment) as process:
        children = psutil.Process(process.pid).children(recursive=True)
        worker = max(children, key=lambda child: child.memory_info().rss) if children else None
        yield Served(own.port, worker.pid if worker else process.pid)
