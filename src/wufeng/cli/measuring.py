"""What benchmarks of the command line share: a server process of their own, and the engine in this process."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
from msgspec.structs import replace

from wufeng.app import App
from wufeng.base.config import Settings
from wufeng.bench.pay import Served
from wufeng.bench.world import Parts
from wufeng.cli.serving import free_port, running_server

BOOK = "bench-pay"


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
