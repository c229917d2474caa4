"""The script that shops put into their own pages (`/embed/v1.js`): offers beside a price, from the public API alone.

A version's name promises what its attributes mean; how it looks may change under the same name.
"""

from importlib import resources

from wufeng.base.errors import not_found
from wufeng.web.paging import Door, Page, Reply, Visit

SCRIPTS = {"v1.js": (resources.files("wufeng.web.embed") / "v1.js").read_bytes()}
HEADERS = (
    (b"access-control-allow-origin", b"*"),
    (b"cross-origin-resource-policy", b"cross-origin"),
    (b"cache-control", b"public, max-age=3600"),
)


async def send_script(visit: Visit) -> Reply:
    """A version of the script, for the pages of any site."""
    script = SCRIPTS.get(visit.values["id"])
    if script is None:
        raise not_found("script")
    return Reply(body=script, media_type="text/javascript; charset=utf-8", headers=HEADERS)


PAGES = (Page(method="GET", path="/embed/{file}", operation="embed", door=Door.CONSUMER, handle=send_script),)
