"""The demo's links: they sign in for a day, in test books alone; whatever is forged, old or another's opens nothing."""

from datetime import timedelta

from tests.api.conftest import NOON
from tests.cases import cases

from wufeng.base.config import Secrets
from wufeng.identity import Vault
from wufeng.identity.keys.commands import create_key
from wufeng.identity.keys.model import KeyKind
from wufeng.web.demo import LASTS, Ticket, make_ticket, read_ticket
from wufeng.web.paging import Door

from .conftest import Town

OTHER = Vault(Secrets(pepper=b"p" * 32, sealing_key=b"s" * 32))


async def test_a_ticket_signs_in_and_leads_where_it_says(town: Town) -> None:
    person, visitor = await town.api.new_person(), town.visitor()
    ticket = make_ticket(town.api.app.services.vault, Door.CONSUMER, person.token, "/app/wallet", NOON)
    seen = await visitor.get(f"/demo/{ticket}")
    assert (seen.status, seen.location) == (303, "/app/wallet")
    assert visitor.cookies == {Door.CONSUMER.cookie: person.token, "wufeng_book": "test"}
    assert person.token not in ticket


async def test_a_shops_ticket_opens_the_portal(town: Town) -> None:
    shop, visitor = await town.api.new_merchant(), town.visitor()
    ticket = make_ticket(town.api.app.services.vault, Door.MERCHANT, shop.key, "/merchant", NOON)
    assert (await visitor.get(f"/demo/{ticket}")).location == "/merchant"
    assert (await visitor.get("/merchant")).status == 200


@cases("how", ["changed", "others", "old", "cut", "odd", "door", "revoked", "live"])
async def test_what_is_no_ticket_is_no_page(town: Town, how: str) -> None:
    person, visitor = await town.api.new_person(), town.visitor()
    services, vault = town.api.app.services, town.api.app.services.vault
    good = make_ticket(vault, Door.CONSUMER, person.token, "/app", NOON)
    other = "A" if good[30] != "A" else "B"
    text = {
        "changed": good[:30] + other + good[31:],
        "others": make_ticket(OTHER, Door.CONSUMER, person.token, "/app", NOON),
        "old": make_ticket(vault, Door.CONSUMER, person.token, "/app", NOON - LASTS),
        "cut": good[:-4],
        "odd": "%F0%9F%8E%AB",
        "door": make_ticket(vault, Door.MERCHANT, person.token, "/merchant", NOON),
        "revoked": make_ticket(vault, Door.CONSUMER, person.token[:-1] + "x", "/app", NOON),
        "live": good,
    }[how]
    if how == "live":
        book = services.books.named("live")
        async with services.database.transaction() as db:
            key = await create_key(
                db, services.ids, book, KeyKind.MERCHANT, services.ids.new_anywhere(NOON), "live", NOON
            )
        text = make_ticket(vault, Door.MERCHANT, key.text, "/merchant", NOON)
    seen = await visitor.get(f"/demo/{text}")
    assert seen.status == 404
    assert visitor.cookies == {}


def test_a_ticket_ends_to_the_second() -> None:
    ticket = make_ticket(OTHER, Door.CONSOLE, "secret", "/console", NOON)
    found = read_ticket(OTHER, ticket, NOON + LASTS - timedelta(seconds=1))
    assert found is not None and found.token == "secret"
    assert read_ticket(OTHER, ticket, NOON + LASTS) is None
    assert "secret" not in repr(Ticket(Door.CONSOLE, "secret", "/", NOON))


async def test_a_ticket_leads_to_no_other_site(town: Town) -> None:
    person = await town.api.new_person()
    ticket = make_ticket(
        town.api.app.services.vault, Door.CONSUMER, person.token, "https://elsewhere.test/", NOON
    )
    assert (await town.visitor().get(f"/demo/{ticket}")).location == "/app"
