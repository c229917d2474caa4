"""One-time codes: one purpose, five tries, one use, five minutes, five sends an hour; nobody learns who is known."""

import asyncio
from datetime import timedelta

import pytest

from wufeng.base.errors import Code, Problem
from wufeng.identity.codes.commands import forget_codes, send_code, verify_code
from wufeng.identity.codes.model import CODE_LASTS, SENDS_WINDOW, CodePurpose, CodeVerdict, Notice, SignUp
from wufeng.identity.codes.queries import list_messages
from wufeng.identity.codes.store import MessageTable
from wufeng.identity.codes.texts import text_of_notice
from wufeng.identity.sessions.commands import sign_in
from wufeng.identity.vault import Private

from .conftest import PHONE, World

SIGN_IN, FOR_PIN = CodePurpose.SIGN_IN, CodePurpose.PIN


def wrong(code: str, by: int = 1) -> str:
    return f"{(int(code) + by) % 1_000_000:06d}"


async def verify(world: World, code: str, purpose: CodePurpose = SIGN_IN, phone: str = PHONE) -> CodeVerdict:
    return await verify_code(
        world.database, world.vault, world.book, Private(phone), purpose, Private(code), world.at
    )


async def test_a_code_is_right_once(world: World) -> None:
    await world.person()
    code = await world.code()
    assert await verify(world, code) == CodeVerdict(ok=True, tries_left=4)
    assert await verify(world, code) == CodeVerdict(ok=False, tries_left=0)


async def test_five_wrong_ones_use_a_code_up(world: World) -> None:
    await world.person()
    code = await world.code()
    verdicts = [await verify(world, wrong(code, n)) for n in range(1, 6)]
    assert [verdict.tries_left for verdict in verdicts] == [4, 3, 2, 1, 0]
    assert await verify(world, code) == CodeVerdict(ok=False, tries_left=0), "even the right one"
    assert (await verify(world, await world.code())).ok, "a new code brings new tries"


async def test_a_code_is_for_one_purpose(world: World) -> None:
    await world.person()
    code = await world.code(purpose=FOR_PIN)
    assert not (await verify(world, code, SIGN_IN)).ok
    assert (await verify(world, code, FOR_PIN)).ok


async def test_a_code_is_for_one_phone(world: World) -> None:
    await world.person()
    await world.person("+8613900002222")
    code = await world.code()
    assert not (await verify(world, code, phone="+8613900002222")).ok
    assert (await verify(world, code)).ok


async def test_a_code_lasts_five_minutes(world: World) -> None:
    await world.person()
    code = await world.code()
    world.later(CODE_LASTS - timedelta(microseconds=1))
    assert (await verify(world, code)).ok
    code = await world.code()
    world.later(CODE_LASTS)
    assert await verify(world, code) == CodeVerdict(ok=False, tries_left=0)


async def test_a_new_code_ends_the_one_before(world: World) -> None:
    await world.person()
    old, new = await world.code(), await world.code()
    if old != new:
        assert not (await verify(world, old)).ok
    assert (await verify(world, new)).ok


async def test_five_sends_an_hour(world: World) -> None:
    await world.person()
    for _ in range(5):
        assert await world.send() is None
    world.later(timedelta(minutes=59))
    refused = await world.send()
    assert refused is not None and (refused.code, refused.retry_after_s) == (Code.RATE_LIMITED, 60)
    assert await world.send(purpose=FOR_PIN) is None, "each purpose has its own"
    world.later(timedelta(minutes=1))
    assert await world.send() is None
    assert len(await world.messages()) == 7


async def test_sends_in_parallel_are_counted_too(world: World) -> None:
    await world.person()
    problems = await asyncio.gather(*(world.send() for _ in range(20)))
    assert len([problem for problem in problems if problem is None]) == 5
    assert len(await world.messages()) == 5


async def test_an_unknown_phone_hears_the_same(world: World) -> None:
    """Until the limit and beyond it; but nothing is sent to it where sign-up is closed."""
    await world.person()
    for phone in (PHONE, "+8613900002222"):
        for _ in range(5):
            assert await world.send(phone) is None
    known, unknown = await world.send(), await world.send("+8613900002222")
    assert known is not None and unknown is not None
    assert (known.code, known.detail, known.retry_after_s) == (
        unknown.code,
        unknown.detail,
        unknown.retry_after_s,
    )
    assert await world.messages("+8613900002222") == []
    guess = wrong((await world.messages())[0])
    told = [await verify(world, guess, phone=phone) for phone in (PHONE, "+8613900002222")]
    assert told == [CodeVerdict(ok=False, tries_left=4)] * 2


async def test_a_phone_never_sent_to_has_no_try(world: World) -> None:
    assert await verify(world, "000000", phone="+8613900007777") == CodeVerdict(ok=False, tries_left=0)


@pytest.mark.parametrize(
    ("purpose", "sign_up", "sent"),
    [
        (SIGN_IN, SignUp.OPEN, 1),
        (SIGN_IN, SignUp.CLOSED, 0),
        (FOR_PIN, SignUp.OPEN, 0),
        (FOR_PIN, SignUp.CLOSED, 0),
    ],
)
async def test_what_is_sent_to_unknown_phones(
    world: World, purpose: CodePurpose, sign_up: SignUp, sent: int
) -> None:
    assert await world.send(PHONE, purpose, sign_up) is None
    assert len(await world.messages()) == sent


@pytest.mark.parametrize("code", ["", "12345", "1234567", "12345a", "１２３４５６", "12345\n", "' or 1"])
async def test_what_is_no_code_costs_no_try(world: World, code: str) -> None:
    await world.person()
    right = await world.code()
    with pytest.raises(Problem) as refused:
        await verify(world, code)
    assert refused.value.errors[0].pointer == "/code"
    assert await verify(world, right) == CodeVerdict(ok=True, tries_left=4)


async def test_of_fifty_at_once_one_gets_in(world: World) -> None:
    await world.person()
    code = await world.code()

    async def enter() -> object:
        return await sign_in(
            world.lanes, world.vault, world.book, Private(PHONE), Private(code), "", SignUp.CLOSED, world.at
        )

    outcomes = await asyncio.gather(*(enter() for _ in range(50)), return_exceptions=True)
    refused = [outcome for outcome in outcomes if isinstance(outcome, Problem)]
    assert len(refused) == 49 and {problem.code for problem in refused} == {Code.CONFIRMATION_FAILED}
    async with world.database.read() as db:
        assert await db.fetchval("select count(*) from session") == 1


async def test_of_fifty_guesses_at_once_five_are_compared(world: World) -> None:
    await world.person()
    code = await world.code()
    verdicts = await asyncio.gather(*(verify(world, wrong(code, n)) for n in range(1, 51)))
    assert sorted((verdict.tries_left for verdict in verdicts), reverse=True)[:5] == [4, 3, 2, 1, 0]
    async with world.database.read() as db:
        assert await db.fetchval("select tries from one_time_code") == 5
    assert not (await verify(world, code)).ok


async def test_a_live_book_keeps_no_messages_and_needs_a_sender(world: World) -> None:
    refused = await world.send(book=world.live)
    assert refused is not None and refused.code is Code.STATE_CONFLICT and "no SMS sender" in refused.detail
    async with world.database.read() as db:
        assert await db.fetchval("select count(*) from one_time_code") == 0
        with pytest.raises(Problem, match="not_found"):
            await list_messages(db, world.vault, world.live, Private(PHONE))


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("zh", "【无缝】验证码 {code}，5 分钟内有效，切勿告诉他人。"),
        ("en", "Your Wufeng code is {code}. It is good for 5 minutes. Tell nobody."),
    ],
)
async def test_a_code_comes_in_the_language_of_who_asks(world: World, language: str, words: str) -> None:
    await world.person()
    await send_code(
        world.database, world.vault, MessageTable(), world.ids, world.book, Private(PHONE), SIGN_IN,
        SignUp.CLOSED, world.at, language=language,
    )  # fmt: skip
    async with world.database.read() as db:
        (message,) = await list_messages(db, world.vault, world.book, Private(PHONE))
    assert message.text == words.format(code=message.code)


def test_a_notice_is_read_by_whoever_it_warns() -> None:
    for notice in Notice:
        said = text_of_notice(notice).text
        assert "【无缝】" in said and "Wufeng account" in said and "{" not in said


async def test_a_sender_that_fails_sends_nothing_and_counts_nothing(world: World) -> None:
    class Broken:
        async def send(self, db: object, book: object, message: object) -> None:
            raise OSError("queue full")

    await world.person()
    for _ in range(6):
        with pytest.raises(OSError, match="queue full"):
            await send_code(
                world.database, world.vault, Broken(), world.ids, world.book, Private(PHONE), SIGN_IN,
                SignUp.CLOSED, world.at,
            )  # fmt: skip
    assert await world.send() is None


async def test_codes_that_play_no_part_are_forgotten(world: World) -> None:
    await world.person()
    await world.send()
    async with world.database.read() as db:
        buckets = world.book.buckets
        at = world.later(SENDS_WINDOW)
        assert sum([await forget_codes(db, bucket, at, 10) for bucket in buckets]) == 0
        at = world.later(timedelta(seconds=1))
        assert sum([await forget_codes(db, bucket, at, 10) for bucket in buckets]) == 1
