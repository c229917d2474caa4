"""`wufeng bench web`: how heavy the first look at a page is, and how long the server takes for it.

The pages are asked for one after another over one connection, as one person would; a plain answer of the same server
(`/healthz`) in the same run tells what of it is the machine and the way there.
"""

import gzip
import http.client
import re
import time
from collections.abc import Mapping
from statistics import median

from msgspec import Struct

from wufeng.base.errors import ConfigurationError

REFERENCE = "/healthz"
_FILES = re.compile(rb'(?:href|src)="(/static/[^"]+)"')


class PageView(Struct, frozen=True):
    """A page as one visitor asks for it. `cookie` is the whole header."""

    path: str
    cookie: str


class WebFigures(Struct, frozen=True, kw_only=True):
    """What `wufeng bench web --json` prints. Kilobytes as transferred, with headers; milliseconds at the median.

    overview_ms  None without a stream to play before
    reference_ms the same server's plainest answer
    """

    home_kb: float
    checkout_kb: float
    home_ms: float
    checkout_ms: float
    overview_ms: float | None
    reference_ms: float
    payments_of_person: int
    payments_before_overview: int | None


def first_load_kb(port: int, view: PageView) -> float:
    """Kilobytes that a browser with nothing kept takes for a page: the page itself and every file that it names."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    size, body = _fetch(connection, view)
    for path in sorted(set(_FILES.findall(body))):
        size += _fetch(connection, PageView(path.decode(), view.cookie))[0]
    connection.close()
    return round(size / 1024, 1)


def page_ms(port: int, views: Mapping[str, PageView], times: int) -> dict[str, float]:
    """Milliseconds at the median of each page, asked for in turns so that a slow moment is everybody's."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    taken: dict[str, list[float]] = {name: [] for name in views}
    for _ in range(times):
        for name, view in views.items():
            began_s = time.perf_counter()
            _fetch(connection, view)
            taken[name].append((time.perf_counter() - began_s) * 1000)
    connection.close()
    return {name: round(median(ms[len(ms) // 10 :]), 2) for name, ms in taken.items()}


def _fetch(connection: http.client.HTTPConnection, view: PageView) -> tuple[int, bytes]:
    """One GET as a browser makes it; how many bytes came, and the body opened."""
    headers = {"Cookie": view.cookie, "Accept-Encoding": "gzip", "Accept-Language": "zh"}
    connection.request("GET", view.path, headers=headers)
    response = connection.getresponse()
    body = response.read()
    if response.status != 200:
        raise ConfigurationError(f"{view.path} was answered {response.status}: nothing to measure")
    head = sum(len(name) + len(value) + 4 for name, value in response.getheaders())
    size = len(body) + head
    if response.getheader("content-encoding") == "gzip":
        body = gzip.decompress(body)
    return size, body
