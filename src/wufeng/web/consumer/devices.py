"""How a browser is known again: by a cookie of its own, which outlives its sessions."""

import re

from wufeng.web.paging import Visit

COOKIE = "wufeng_device"
LASTS_S = 400 * 24 * 3600
"""As long as browsers keep a cookie; each sign-in prolongs it."""

_SYSTEMS = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("Mac OS X", "Mac"),
    ("CrOS", "ChromeOS"), ("Linux", "Linux"),
)  # fmt: skip
_BROWSERS = (
    ("MicroMessenger/", "WeChat"), ("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"), ("Chrome/", "Chrome"), ("Safari/", "Safari"),
)  # fmt: skip


def device_name(visit: Visit) -> str:
    """What a person will know this browser by, such as `Chrome · Android`. Nothing is decided by it."""
    said = visit.headers.get(b"user-agent", b"").decode("latin-1")
    browser = next((name for mark, name in _BROWSERS if mark in said), "")
    system = next((name for mark, name in _SYSTEMS if mark in said), "")
    return " · ".join(part for part in (browser, system) if part) or "web"


def device_proof(visit: Visit) -> str | None:
    """What this browser was given when it was new."""
    kept = visit.cookies.get(COOKIE, "")
    return kept if re.fullmatch(r"[A-Za-z0-9_-]{1,128}", kept) else None


def keep_device(visit: Visit, proof: str | None) -> None:
    """Have the browser keep what it will be known by: a new proof, or the one that has just been taken again."""
    kept = proof or device_proof(visit)
    if kept is not None:
        visit.set_cookie(COOKIE, kept, LASTS_S)
