"""What all apps share: the way in, the language, the files that pages link to."""

from wufeng.base.errors import not_found
from wufeng.web.assets import load_assets
from wufeng.web.paging import Door, Page, Reply, Visit, local_path
from wufeng.web.texts import LANGUAGES

ASSETS = load_assets()
_BY_URL = {asset.url: asset for asset in ASSETS.values()}
FOR_EVER = b"public, max-age=31536000, immutable"


async def start(visit: Visit) -> Reply:
    """The bare address leads into the consumer app."""
    return visit.go("/app")


async def choose_language(visit: Visit) -> Reply:
    """Keep the language in a cookie, and look at the same page again."""
    wanted = visit.field("to")
    if wanted in LANGUAGES:
        visit.set_cookie("wufeng_language", wanted)
    return visit.go(local_path(visit.field("back"), "/app"))


async def send_file(visit: Visit) -> Reply:
    """A file by the name that has its content in it."""
    asset = _BY_URL.get(visit.path)
    if asset is None:
        raise not_found("file")
    headers = [(b"cache-control", FOR_EVER)]
    if b"gzip" in visit.headers.get(b"accept-encoding", b""):
        headers.append((b"content-encoding", b"gzip"))
        return Reply(body=asset.packed, media_type=asset.media_type, headers=tuple(headers))
    return Reply(body=asset.body, media_type=asset.media_type, headers=tuple(headers))


PAGES = (
    Page(method="GET", path="/", operation="start", door=Door.CONSUMER, handle=start),
    Page(method="POST", path="/language", operation="language", door=Door.CONSUMER, handle=choose_language),
    Page(method="GET", path="/static/{file}", operation="static", door=Door.CONSUMER, handle=send_file),
)
