"""Payment PINs: five tries whatever comes at once, reset by a code alone, hashed slowly under a pepper."""

import asyncio
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wufeng.base.config import Secrets
from wufeng.base.errors import Code, Problem
from wufeng.identity import hashing
from wufeng.identity.codes.model import CodePurpose
from wufeng.identity.people.commands import freeze_person
from wufeng.identity.pins import commands as pin_commands
from wufeng.identity.pins.commands import check_pin, set_pin
from wufeng.identity.pins.model import PinProof, PinVerdict, ProofKind
from wufeng.identity.pins.rules import check_pin_strength, is_weak
from wufeng.identity.vault import Private, Vault

from .conftest import PHONE, PIN, World

OTHER_PIN = "461937"


async def check(world: World, person_id: UUID, pin: str = PIN) -> PinVerdict:
    return await check_pin(world.database, world.vault, world.book, person_id, Private(pin), world.at)


async def change(
    world: World, person_id: UUID, old: str, new: str, keep: UUID | None = None
) -> Problem | None:
    try:
        await set_pin(
            world.database, world.vault, world.book, person_id, Private(new),
            PinProof(ProofKind.OLD_PIN, Private(old)), world.at, keep,
        )  # fmt: skip
    except Problem as problem:
        return problem
    return None


@pytest.mark.parametrize(
    "pin",
    [
        "000000", "111111", "121212", "112211", "123456", "234567", "987654", "890123", "123123", "131313",
        "123321", "112233", "998877", "445566", "520131", "147258", "001111",
    ],
)  # fmt: skip
def test_weak_pins(pin: str) -> None:
    assert is_weak(pin, PHONE)


@pytest.mark.parametrize("pin", ["802754", "461937", "135790", "102938", "900127"])
def test_other_pins_are_not_weak(pin: str) -> None:
    assert not is_weak(pin, PHONE)


def test_the_own_phone_is_weak() -> None:
    assert is_weak("001234", "+8613905001234") and not is_weak("051234", "+8613905001234")


@given(st.from_regex(r"[0-9]{6}", fullmatch=True))
def test_a_pin_of_at_most_two_digits_is_weak(pin: str) -> None:
    assert is_weak(pin, PHONE) or len(set(pin)) > 2


def test_at_most_one_pin_in_fifty_is_weak() -> None:
    assert sum(is_weak(f"{n:06d}", PHONE) for n in range(1_000_000)) < 20_000


@pytest.mark.parametrize("pin", ["", "12345", "1234567", "80275a", "８０２７５４", "80275\n"])
def test_a_pin_has_six_digits(pin: str) -> None:
    with pytest.raises(Problem) as refused:
        check_pin_strength(Private(pin), PHONE)
    assert refused.value.errors[0].pointer == "/pin"
    assert not pin or pin not in str(refused.value)


async def test_a_right_pin_is_right_as_often_as_asked(world: World) -> None:
    person_id = await world.person()
    await world.set_pin(person_id)
    assert [await check(world, person_id) for _ in range(7)] == [PinVerdict(ok=True, tries_left=5)] * 7


async def test_nobody_has_a_pin_at_first(world: World) -> None:
    assert await check(world, await world.person()) == PinVerdict(ok=False, tries_left=0)


async def test_after_the_fifth_wrong_one_even_the_right_one_is_refused(world: World) -> None:
    person_id = await world.person()
    await world.set_pin(person_id)
    assert [(await check(world, person_id, OTHER_PIN)).tries_left for _ in range(5)] == [4, 3, 2, 1, 0]
    assert await check(world, person_id) == PinVerdict(ok=False, tries_left=0)
    refused = await change(world, person_id, PIN, OTHER_PIN)
    assert refused is not None and refused.extra == {"tries_left": 0}, "nor does the old one change it"
    await world.set_pin(person_id, OTHER_PIN)
    assert (await check(world, person_id, OTHER_PIN)).ok
    assert await check(world, person_id) == PinVerdict(ok=False, tries_left=4)


async def test_a_right_pin_in_time_gives_the_tries_back(world: World) -> None:
    person_id = await world.person()
    await world.set_pin(person_id)
    for _ in range(4):
        await check(world, person_id, OTHER_PIN)
    assert (await check(world, person_id)).ok
    assert (await check(world, person_id, OTHER_PIN)).tries_left == 4


async def test_of_parallel_guesses_five_are_verified(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    person_id = await world.person()
    await world.set_pin(person_id)
    verified: list[bool] = []

    async def counted(stored: str, peppered: bytes) -> bool:
        verified.append(await hashing.proves_slowly(stored, peppered))
        return verified[-1]

    monkeypatch.setattr(pin_commands, "proves_slowly", counted)
    verdicts = await asyncio.gather(*(check(world, person_id, f"4619{n}") for n in range(10, 60)))
    assert not any(verdict.ok for verdict in verdicts)
    assert len(verified) == 5
    assert not (await check(world, person_id)).ok


async def test_a_right_pin_among_wrong_ones_forgives_only_those_before_it(world: World) -> None:
    """Wrong guesses in flight beside a right one keep counting: 1 right and N wrong never leave N + 5 tries."""
    person_id = await world.person()
    await world.set_pin(person_id)
    verdicts = await asyncio.gather(
        *(check(world, person_id, PIN if n == 2 else OTHER_PIN) for n in range(4))
    )
    assert [verdict.ok for verdict in verdicts].count(True) == 1
    async with world.database.read() as db:
        tries = await db.fetchval("select tries from payment_pin")
    assert 0 <= tries <= 3


@pytest.mark.usefixtures("shipped_hashes")
async def test_a_pin_is_stored_as_argon2id_under_the_pepper(world: World) -> None:
    person_id = await world.person()
    await world.set_pin(person_id)
    async with world.database.read() as db:
        stored = await db.fetchval("select hash from payment_pin")
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    other_pepper = Vault(Secrets(pepper=b"x" * 32, sealing_key=b"s" * 32))
    assert await hashing.proves_slowly(stored, world.vault.peppered(person_id, Private(PIN)))
    assert not await hashing.proves_slowly(stored, other_pepper.peppered(person_id, Private(PIN)))
    assert not await hashing.proves_slowly(stored, PIN.encode())


@pytest.mark.usefixtures("shipped_hashes")
async def test_guessing_keeps_nobody_waiting_for_ever(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than so many at once are refused before they cost a try."""
    monkeypatch.setattr(hashing, "WAITING_MAX", 2)
    person_id = await world.person()
    await world.set_pin(person_id)
    outcomes = await asyncio.gather(
        *(hashing.hash_slowly(b"x") for _ in range(2)), check(world, person_id), return_exceptions=True
    )
    assert isinstance(outcomes[2], Problem) and outcomes[2].code is Code.OVERLOADED
    async with world.database.read() as db:
        assert await db.fetchval("select tried_at from payment_pin") is None
    assert (await check(world, person_id)).ok


async def test_another_persons_pin_proves_nothing(world: World) -> None:
    """Same PIN, hash copied by somebody who can write to the table: it is bound to its owner."""
    anna, bo = await world.person(), await world.person("+8613900002222")
    await world.set_pin(anna)
    await world.set_pin(bo, OTHER_PIN, "+8613900002222")
    async with world.database.read() as db:
        await db.execute(
            "update payment_pin set hash = (select hash from payment_pin where person_id = $1) where person_id = $2",
            anna,
            bo,
        )
    assert not (await check(world, bo)).ok


async def test_a_broken_hash_proves_nothing(world: World) -> None:
    for stored in ("", "x", "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$x"):
        assert not await hashing.proves_slowly(stored, b"x")


async def test_a_change_ends_other_sessions(world: World) -> None:
    person_id = await world.person()
    await world.set_pin(person_id)
    mine, stolen = await world.sign_in(), await world.sign_in()
    assert await change(world, person_id, PIN, OTHER_PIN, keep=mine.session_id) is None
    assert (await world.authenticator.authenticate(f"Bearer {mine.token}")).person_id == person_id
    with pytest.raises(Problem, match="unauthenticated"):
        await world.authenticator.authenticate(f"Bearer {stolen.token}")


async def test_a_wrong_old_pin_changes_nothing(world: World) -> None:
    person_id = await world.person()
    await world.set_pin(person_id)
    refused = await change(world, person_id, OTHER_PIN, "739105")
    assert refused is not None
    assert (refused.code, refused.extra) == (Code.CONFIRMATION_FAILED, {"tries_left": 4})
    assert (await check(world, person_id)).ok


async def test_a_weak_pin_is_refused_before_the_proof_is_looked_at(world: World) -> None:
    person_id = await world.person()
    code = await world.code(purpose=CodePurpose.PIN)
    proof = PinProof(ProofKind.CODE, Private(code))
    with pytest.raises(Problem, match="guessed too easily"):
        await set_pin(world.database, world.vault, world.book, person_id, Private("123456"), proof, world.at)
    await set_pin(world.database, world.vault, world.book, person_id, Private(PIN), proof, world.at)
    assert (await check(world, person_id)).ok, "the code was still good"


async def test_a_sign_in_code_sets_no_pin(world: World) -> None:
    person_id = await world.person()
    proof = PinProof(ProofKind.CODE, Private(await world.code(purpose=CodePurpose.SIGN_IN)))
    with pytest.raises(Problem, match="confirmation_failed"):
        await set_pin(world.database, world.vault, world.book, person_id, Private(PIN), proof, world.at)


@pytest.mark.usefixtures("shipped_hashes")  # slow enough for both to be on their way
async def test_of_two_changes_at_once_one_wins(world: World) -> None:
    person_id = await world.person()
    await world.set_pin(person_id)
    problems = await asyncio.gather(
        change(world, person_id, PIN, OTHER_PIN), change(world, person_id, PIN, "739105")
    )
    assert sorted(problem.code if problem else "" for problem in problems) == ["", Code.STATE_CONFLICT]
    winner = OTHER_PIN if problems[0] is None else "739105"
    assert (await check(world, person_id, winner)).ok


async def test_a_frozen_person_sets_no_pin(world: World) -> None:
    person_id = await world.person()
    code = await world.code(purpose=CodePurpose.PIN)
    await freeze_person(world.database, world.book, world.ids, person_id, world.act(person_id))
    with pytest.raises(Problem, match="frozen"):
        await set_pin(
            world.database, world.vault, world.book, person_id, Private(PIN),
            PinProof(ProofKind.CODE, Private(code)), world.at,
        )  # fmt: skip


async def test_an_unknown_person_has_no_pin_to_set(world: World) -> None:
    with pytest.raises(Problem, match="No such person"):
        await set_pin(
            world.database, world.vault, world.book, world.ids.new_anywhere(world.at), Private(PIN),
            PinProof(ProofKind.CODE, Private("123456")), world.at,
        )  # fmt: skip
