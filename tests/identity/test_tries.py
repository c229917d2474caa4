"""S7: tries are counted by where they come from; a right proof costs nothing, a refused one counts nothing."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from msgspec.structs import replace

from wufeng.base.errors import Code, ConfigurationError, Problem
from wufeng.identity import policy as policies
from wufeng.identity.codes.commands import send_code, verify_code
from wufeng.identity.codes.model import CodePurpose, SignUp
from wufeng.identity.codes.store import MessageTable
from wufeng.identity.passkeys.commands import ask_to_sign_in
from wufeng.identity.passkeys.model import RelyingParty
from wufeng.identity.pins.commands import check_pin
from wufeng.identity.places import Place
from wufeng.identity.policy import read_identity_policy, shipped_identity_policy
from wufeng.identity.tries import commands as tries
from wufeng.identity.tries.commands import forget_tries
from wufeng.identity.tries.model import TryKind, TryLimit
from wufeng.identity.vault import Private

from .conftest import PIN, World, gathered

FAR = Place("203.0.113.9")
WRONG = "558813"


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """A policy of three tries an hour of each kind, so that a test reaches its end."""
    shipped = shipped_identity_policy()
    low = replace(shipped, tries=dict.fromkeys(TryKind, TryLimit(3, 3600)))
    monkeypatch.setattr(tries, "shipped_identity_policy", lambda: low)


async def people_with_pins(world: World, count: int) -> list[UUID]:
    found = []
    for number in range(count):
        phone = f"+861390000{number:04d}"
        found.append(await world.person(phone))
        await world.set_pin(found[-1], PIN, phone)
    return found


async def pin_of(world: World, person_id: UUID, pin: str, place: Place) -> bool | Code | None:
    """Whether a PIN was right; the refusal's code; None for one that does not say how long to wait."""
    try:
        verdict = await check_pin(
            world.database, world.vault, world.book, person_id, Private(pin), world.at, place
        )
    except Problem as problem:
        return problem.code if problem.retry_after_s in range(1, 3601) else None
    return verdict.ok


async def test_one_pin_over_many_people(world: World, few: None) -> None:
    """Whoever spreads one guess over many people, and over many addresses, is held up after a few."""
    people = await people_with_pins(world, 6)
    places = [Place(f"203.0.113.{number}") for number in range(6)]
    told = [await pin_of(world, one, WRONG, place) for one, place in zip(people, places, strict=True)]
    assert told == [False, False, False, *[Code.RATE_LIMITED] * 3]
    assert await pin_of(world, people[0], PIN, places[0]) is True, "another PIN is not held up"
    world.later(timedelta(hours=1))
    assert await pin_of(world, people[5], WRONG, places[5]) is False


async def test_people_whose_pin_is_guessed_elsewhere_are_not_held_up_on_their_own_device(
    world: World, few: None
) -> None:
    people = await people_with_pins(world, 4)
    for number, one in enumerate(people[:3]):
        await pin_of(world, one, PIN[:-1] + "9", Place(f"203.0.113.{number}"))
    theirs = Place("198.51.100.1", UUID(int=7), device_trusted=True)
    assert await pin_of(world, people[3], PIN[:-1] + "9", theirs) is False
    assert await pin_of(world, people[3], PIN[:-1] + "9", Place("198.51.100.2")) is Code.RATE_LIMITED


@pytest.mark.parametrize("place", [FAR, Place(None, UUID(int=9))], ids=["address", "device"])
async def test_many_pins_from_one_place(world: World, few: None, place: Place) -> None:
    people = await people_with_pins(world, 5)
    guesses = [f"55881{number}" for number in range(5)]
    told = [await pin_of(world, one, guess, place) for one, guess in zip(people, guesses, strict=True)]
    assert told == [False, False, False, Code.RATE_LIMITED, Code.RATE_LIMITED]
    assert await pin_of(world, people[4], PIN, place) is Code.RATE_LIMITED, "even the right one"


async def test_right_proofs_cost_nothing(world: World, few: None) -> None:
    [person_id] = await people_with_pins(world, 1)
    for _ in range(8):
        assert await pin_of(world, person_id, PIN, FAR) is True


async def test_parallel_guesses_gain_nothing(world: World, few: None) -> None:
    people = await people_with_pins(world, 12)
    told = await gathered(*(pin_of(world, one, f"55{n:04d}", FAR) for n, one in enumerate(people)))
    assert told.count(False) == 3 and told.count(Code.RATE_LIMITED) == 9


async def test_a_refused_try_counts_nothing(world: World, few: None) -> None:
    """An address that is held up cannot use up a PIN's count, and so hold up other people."""
    people = await people_with_pins(world, 5)
    for number, one in enumerate(people[:3]):
        await pin_of(world, one, f"55881{number}", FAR)  # FAR has used up its own
    for one in people:
        assert await pin_of(world, one, PIN, FAR) is Code.RATE_LIMITED
    assert await pin_of(world, people[4], PIN, Place("198.51.100.1")) is True


async def test_codes_from_and_to_an_address(world: World, few: None) -> None:
    async def send(number: int, place: Place) -> Code | None:
        try:
            await send_code(
                world.database, world.vault, MessageTable(), world.ids, world.book,
                Private(f"+861390000{number:04d}"), CodePurpose.SIGN_IN, SignUp.OPEN, world.at, place,
            )  # fmt: skip
        except Problem as problem:
            return problem.code
        return None

    assert [await send(n, FAR) for n in range(5)] == [None, None, None, *[Code.RATE_LIMITED] * 2]
    assert await send(9, Place("198.51.100.1")) is None

    async def verify(number: int, code: str, place: Place) -> bool | Code:
        phone = Private(f"+861390000{number:04d}")
        try:
            found = await verify_code(
                world.database,
                world.vault,
                world.book,
                phone,
                CodePurpose.SIGN_IN,
                Private(code),
                world.at,
                place,
            )
        except Problem as problem:
            return problem.code
        return found.ok

    right = (await world.messages("+8613900000000"))[0]
    wrong = f"{(int(right) + 1) % 1_000_000:06d}"
    there = Place("198.51.100.7")
    assert [await verify(n, wrong, there) for n in range(4)] == [False, False, False, Code.RATE_LIMITED]
    assert await verify(0, right, there) is Code.RATE_LIMITED
    assert await verify(0, right, Place("198.51.100.8")) is True


async def test_challenges_to_an_address(world: World, few: None) -> None:
    async def ask(place: Place) -> Code | None:
        party = RelyingParty("localhost", "http://localhost")
        try:
            await ask_to_sign_in(world.database, world.vault, world.ids, world.book, party, world.at, place)
        except Problem as problem:
            return problem.code
        return None

    assert [await ask(FAR) for _ in range(5)] == [None, None, None, *[Code.RATE_LIMITED] * 2]
    assert await ask(Place("198.51.100.1")) is None
    async with world.database.read() as db:
        assert await db.fetchval("select count(*) from passkey_challenge") == 4


async def test_neither_addresses_nor_pins_can_be_read_out_of_the_table(world: World) -> None:
    [person_id] = await people_with_pins(world, 1)
    await pin_of(world, person_id, WRONG, Place("203.0.113.9", UUID(int=5)))
    async with world.database.read() as db:
        rows = await db.fetch("select bucket, id, taken from try_count")
        assert len(rows) == 4 and {row["taken"] for row in rows} == {1}
        assert all(world.book.bucket_of(row["id"]) == row["bucket"] for row in rows)
        gone = [await forget_tries(db, bucket, world.at, 100) for bucket in world.book.buckets]
        assert sum(gone) == 0
        later = world.later(timedelta(hours=2))
        gone = [await forget_tries(db, bucket, later, 100) for bucket in world.book.buckets]
        assert sum(gone) == 4


async def test_counters_of_two_tries_never_wait_in_a_circle(world: World) -> None:
    people = await people_with_pins(world, 2)
    told = await asyncio.gather(
        *(pin_of(world, people[n % 2], WRONG, Place(f"203.0.113.{n}")) for n in range(8))
    )
    assert set(told) <= {False, Code.OVERLOADED}


def test_the_policy_names_every_kind_of_try() -> None:
    text = policies.resources.files("wufeng.catalogue").joinpath("policies/identity.toml").read_text()
    assert set(read_identity_policy(text, "identity.toml").tries) == set(TryKind)
    for wrong in (
        text.replace("[tries.same_pin]", "[tries.other]"),
        text.replace("cooling_days = 7", "cooling_days = -1"),
        text.replace("most = 30", "most = 0"),
        text.replace("day_max = 5", "day_max = 0"),
        text.replace("[tries.document_from_address]\nmost = 20\nwindow_s = 3600\n", ""),
    ):
        with pytest.raises(ConfigurationError):
            read_identity_policy(wrong, "identity.toml")
