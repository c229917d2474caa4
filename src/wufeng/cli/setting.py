"""Who stands in the demo's book before its server starts, and the links that sign in as the demo's people."""

import secrets

from msgspec import Struct

from wufeng.base import webhooks
from wufeng.base.books import Book
from wufeng.base.clock import SystemClock
from wufeng.base.config import Settings, load_secrets
from wufeng.base.ids import Prefix, encode
from wufeng.cli.stories import Ending
from wufeng.client import Wufeng
from wufeng.identity import Vault
from wufeng.identity.merchants.commands import create_merchant
from wufeng.identity.merchants.model import FeePlan, Scene
from wufeng.identity.staff.commands import create_staff
from wufeng.identity.staff.model import Role
from wufeng.identity.vault import Private
from wufeng.services import Services
from wufeng.web.demo import make_ticket
from wufeng.web.paging import Door

SHOP_NAME = "Lowmoon"
SHOP_FEE_PPM = 6_000


class Employee(Struct, frozen=True):
    """A member of staff, as they sign in."""

    role: Role
    login: str
    password: str

    def __repr__(self) -> str:
        return f"Employee({self.login})"


class Setting(Struct, frozen=True, kw_only=True):
    """What is made before the server starts: it gets the shop's key and secret in its environment."""

    book: str
    platform_key: str
    shop: str
    shop_key: str
    shop_secret: str
    supervisor: Employee
    analyst: Employee

    def __repr__(self) -> str:
        return f"Setting({self.book})"


async def set_up(services: Services, book: Book, platform_key: str) -> Setting:
    """Make the outsider's shop with its webhook endpoint, a supervisor and an analyst."""
    at = book.at(services.clock)
    merchant, key = await create_merchant(
        services.database, services.ids, book, SHOP_NAME, Scene.HOME, FeePlan(SHOP_FEE_PPM), at
    )
    port = services.settings.port
    asked = webhooks.NewEndpoint(f"http://127.0.0.1:{port}/shop/webhook", ["order.paid"])
    async with services.database.transaction() as db:
        _, secret = await webhooks.create_endpoint(
            db,
            book,
            merchant.id,
            asked,
            known_types=services.event_types,
            reach=services.reach,
            seal=services.seal,
            ids=services.ids,
            at=at,
        )
    return Setting(
        book=book.name,
        platform_key=platform_key,
        shop=encode(Prefix.MERCHANT, merchant.id),
        shop_key=key.text,
        shop_secret=secret,
        supervisor=await _employ(services, book, Role.SUPERVISOR),
        analyst=await _employ(services, book, Role.ANALYST),
    )


async def _employ(services: Services, book: Book, role: Role) -> Employee:
    made = Employee(role, f"{book.name}-{role.value}", secrets.token_urlsafe(12))
    async with services.database.transaction() as db:
        await create_staff(
            db,
            services.vault,
            services.ids,
            made.login,
            f"Demo {role.value}",
            Private(made.password),
            role,
            [book],
            services.clock.now(),
        )
    return made


async def links(settings: Settings, url: str, scene: Setting, ending: Ending) -> list[tuple[str, str]]:
    """(who, link): each opens an app as one of the story's people, or as one of the staff."""
    vault, at = Vault(load_secrets(settings)), SystemClock().now()

    def link(door: Door, token: str, path: str) -> str:
        return f"{url}/demo/{make_ticket(vault, door, token, path, at)}"

    shown = [(way.who, link(way.door, way.token, way.path)) for way in ending.ways]
    async with Wufeng(url, book=scene.book) as public:
        for employee in (scene.analyst, scene.supervisor):
            session = await public.staff.sign_in(
                login=employee.login, password=employee.password, book=scene.book
            )
            assert session.token is not None, "a new session shows its token"
            article = "an" if employee.role is Role.ANALYST else "a"
            shown.append((f"{article} {employee.role.value}", link(Door.CONSOLE, session.token, "/console")))
    return shown
