"""Bearer tokens: read exactly, looked up together, forgotten at once; the same refusal for every reason."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wufeng.base.books import Mode, create_book, turn_clock
from wufeng.base.database import Connection
from wufeng.base.errors import Problem
from wufeng.base.sql import Statements
from wufeng.identity.keys import store as key_store
from wufeng.identity.sessions import store as session_store
from wufeng.identity.tokens import CredentialKind, new_key, new_session, parse_credential

from .conftest import NOON, World, draft

ID = UUID(int=0x01A0656C6E007E818C5339F390890AC1)


async def refusal(world: World, header: str | None) -> tuple[str, str]:
    with pytest.raises(Problem) as refused:
        await world.authenticator.authenticate(header)
    return refused.value.code.value, refused.value.detail


@given(st.text(max_size=120))
def test_any_text_is_read_or_refused(text: str) -> None:
    assert parse_credential(text) is None


@pytest.mark.parametrize("kind", [CredentialKind.SESSION, CredentialKind.STAFF_SESSION])
def test_tokens_are_read_back(kind: CredentialKind) -> None:
    token = new_session(kind, 7, ID)
    assert parse_credential(token.text) == token
    assert token.text not in repr(token) and token.text not in str(token)
    key = new_key(Mode.LIVE, ID)
    assert parse_credential(key.text) == key and key.proves(key.hash) and not key.proves(token.hash)


@given(st.sampled_from(["key", "session"]), st.integers(0, 200), st.characters(exclude_categories=["Cs"]))
def test_one_letter_more_is_another_text(which: str, place: int, letter: str) -> None:
    token = new_key(Mode.TEST, ID) if which == "key" else new_session(CredentialKind.SESSION, 1, ID)
    place = min(place, len(token.text))
    changed = parse_credential(token.text[:place] + letter + token.text[place:])
    assert changed is None or not changed.proves(token.hash)


async def test_every_reason_gets_the_same_refusal(world: World) -> None:
    await world.person()
    ended, key = await world.sign_in(), await world.platform_key()
    async with world.database.read() as db:
        await db.execute("update session set revoked_at = $1", world.at)
        await db.execute("update api_key set revoked_at = $1", world.at)
    headers = [
        None, "", "Bearer", "Bearer ", "Basic abc", key.text, f"Bearer {key.text}", f"Bearer  {ended.token} x",
        f"Bearer {ended.token}", f"Bearer {new_key(Mode.TEST, ID).text}",
        f"Bearer {new_session(CredentialKind.SESSION, world.book.id, ID).text}",
        f"Bearer {new_session(CredentialKind.SESSION, 99999, ID).text}",
        f"Bearer {new_session(CredentialKind.SESSION, 9, ID).text}",
        f"Bearer {new_session(CredentialKind.STAFF_SESSION, world.book.id, ID).text}",
        "Bearer \x00", "Bearer " + "x" * 100_000,
    ]  # fmt: skip
    assert {await refusal(world, header) for header in headers} == {
        ("unauthenticated", "The credential is missing, unknown, expired or revoked.")
    }


async def test_a_session_belongs_to_its_book(world: World) -> None:
    """The token of one book with another's number in it finds nothing, even where the slot is the same."""
    await world.person()
    opened = await world.sign_in()
    moved = opened.token.replace(f"wfs_{world.book.id}_", f"wfs_{world.live.id}_")
    assert moved != opened.token
    await refusal(world, f"Bearer {moved}")
    as_staff = opened.token.replace("wfs_", "wft_")
    await refusal(world, f"Bearer {as_staff}")


def count_calls(monkeypatch: pytest.MonkeyPatch, module: object, name: str) -> list[int]:
    sizes: list[int] = []
    real: Callable[..., object] = getattr(module, name)

    async def counted(db: Connection, *args: object) -> object:
        sizes.append(len(args[-1]))  # type: ignore[arg-type]
        return await real(db, *args)  # type: ignore[misc]

    monkeypatch.setattr(module, name, counted)
    return sizes


async def test_look_ups_at_the_same_time_share_a_statement(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [await world.person(f"+86139000022{n:02}") for n in range(8)]
    tokens = [(await world.sign_in(f"+86139000022{n:02}")).token for n in range(8)]
    keys = [(await world.platform_key()).text for _ in range(8)]
    session_calls = count_calls(monkeypatch, session_store, "load_sessions")
    key_calls = count_calls(monkeypatch, key_store, "load_keys")
    headers = [f"Bearer {token}" for token in (tokens + keys) * 25]
    callers = await asyncio.gather(*(world.authenticator.authenticate(header) for header in headers))
    assert [caller.person_id for caller in callers[:8]] == people
    assert len(session_calls) <= 4 and len(key_calls) <= 2, (session_calls, key_calls)


async def test_nothing_is_remembered(world: World) -> None:
    """A revoked session is dead at the next request, with others being looked up all the time."""
    await world.person()
    opened = await world.sign_in()
    for _ in range(3):
        await asyncio.gather(*(world.authenticator.authenticate(f"Bearer {opened.token}") for _ in range(20)))
    async with world.database.read() as db:
        await db.execute("update session set revoked_at = $1", world.at)
    outcomes = await asyncio.gather(
        *(world.authenticator.authenticate(f"Bearer {opened.token}") for _ in range(20)),
        return_exceptions=True,
    )
    assert all(isinstance(outcome, Problem) for outcome in outcomes)


async def test_the_books_clock_comes_with_the_credential(world: World) -> None:
    """Another process has turned the clock: the caller's book stands at the new instant at once."""
    key = await world.platform_key()
    await world.person()
    opened = await world.sign_in()
    async with world.database.read() as db:
        await turn_clock(db, world.book, 3_600_000_000)
    for token in (key.text, opened.token):
        caller = await world.authenticator.authenticate(f"Bearer {token}")
        assert caller.book.at(world.clock) == NOON + timedelta(hours=1)
    async with world.database.read() as db:
        await turn_clock(db, world.book, 91 * 86_400_000_000)
    await refusal(world, f"Bearer {opened.token}")


async def test_a_book_made_by_another_process_is_read_in(world: World, owner: Connection) -> None:
    book = await create_book(owner, draft("third", Mode.TEST), 1, NOON)
    key = await world.platform_key(book=book)
    assert (await world.authenticator.authenticate(f"Bearer {key.text}")).book == book


async def test_an_error_of_the_statement_is_everybodys_and_the_next_is_fine(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = await world.platform_key()
    with monkeypatch.context() as broken:
        broken.setattr(
            key_store,
            "SQL",
            Statements(key_store.SQL._path, {"load_keys": "select 1 / 0 where $1::uuid[] is not null"}),
        )
        outcomes = await asyncio.gather(
            *(world.authenticator.authenticate(f"Bearer {key.text}") for _ in range(5)),
            return_exceptions=True,
        )
        assert [type(outcome).__name__ for outcome in outcomes] == ["DivisionByZeroError"] * 5
    assert await world.authenticator.authenticate(f"Bearer {key.text}")
