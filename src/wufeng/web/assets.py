"""Files that pages link to: named by what is in them, so a browser keeps them for ever; sent compressed."""

import gzip
import hashlib
from collections.abc import Mapping
from importlib import resources

from msgspec import Struct

_KINDS = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "webmanifest": "application/manifest+json",
}


class Asset(Struct, frozen=True):
    """One file. `url` changes with its bytes."""

    url: str
    media_type: str
    body: bytes
    packed: bytes


def _asset(name: str, body: bytes) -> Asset:
    stem, _, kind = name.rpartition(".")
    mark = hashlib.sha256(body).hexdigest()[:10]
    return Asset(f"/static/{stem}.{mark}.{kind}", _KINDS[kind], body, gzip.compress(body, 9, mtime=0))


def load_assets() -> Mapping[str, Asset]:
    """Our own files, and htmx from its package, by their plain names."""
    own = resources.files("wufeng.web") / "static"
    files = {file.name: file.read_bytes() for file in own.iterdir() if file.name.rpartition(".")[2] in _KINDS}
    htmx = resources.files("js_lib_htmx") / "static" / "htmx"
    files["htmx.js"] = (htmx / "htmx.min.js").read_bytes()
    return {name: _asset(name, body) for name, body in files.items()}
