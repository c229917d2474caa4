"""People: one phone and one external id name one person, whoever asks, however often and at the same time."""

import asyncio
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import json

from wufeng.base.books import Mode
from wufeng.base.claims import Answer
from wufeng.base.database import Database
from wufeng.base.errors import Code, Problem
from wufeng.base.ids import Prefix, decode, encode
from wufeng.identity.people import rules, store
from wufeng.identity.people.commands import (
    CreatePerson,
    erase_person,
    freeze_person,
    unfreeze_person,
)
from wufeng.identity.people.model import Outcome, PersonStatus, Tier
from wufeng.identity.people.queries import get_person, person_of_wallet, show_person
from wufeng.identity.people.rules import (
    Created,
    Existing,
    decide_creation,
    mask_name,
    mask_phone,
    normalise_phone,
)
from wufeng.identity.people.store import PHONE as PHONE_NAME
from wufeng.identity.people.store import claim_names, name_of, release_names
from wufeng.identity.vault import Private

from .conftest import PHONE, World

A, B = UUID(int=0xA), UUID(int=0xB)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("13800138000", "+8613800138000"),
        (" 138 0013 8000 ", "+8613800138000"),
        ("138-0013-8000", "+8613800138000"),
        ("+86 138 0013 8000", "+8613800138000"),
        ("0086 13800138000", "+8613800138000"),
        ("+44 (20) 7183-8750", "+442071838750"),
        ("0044 20 7183 8750", "+442071838750"),
        ("+1.415.555.2671", "+14155552671"),
        ("+85251234567", "+85251234567"),
        ("+1234567", "+1234567"),
        ("+123456789012345", "+123456789012345"),
        # refused
        ("", None),
        ("1390013900", None),
        ("12800138000", None),  # no mobile number begins with 12
        ("8613900139000", None),  # a country code without its plus
        ("+8612800138000", None),
        ("+861380013800", None),
        ("+86010 6552 9988", None),
        ("+0123456789", None),
        ("+123456", None),
        ("+1234567890123456", None),
        ("138001380OO", None),
        ("１３８００１３８０００", None),
        ("+44\x002071838750", None),
        ("+44 20 7183 8750 ext 1", None),
        ("' or 1=1 --", None),
    ],
)
def test_normalise_phone(text: str, normal: str | None) -> None:
    if normal is not None:
        assert normalise_phone(text) == normal
        return
    with pytest.raises(Problem) as refused:
        normalise_phone(text)
    assert refused.value.code is Code.INVALID_FIELD and refused.value.errors[0].pointer == "/phone"
    assert not text or text not in str(refused.value)


@given(st.text(max_size=30) | st.from_regex(r"(\+|00)?[0-9 ().-]{6,20}", fullmatch=True))
def test_a_normal_phone_stays_as_it_is(text: str) -> None:
    try:
        normal = normalise_phone(text)
    except Problem:
        return
    assert normalise_phone(normal) == normal
    assert normal.startswith("+") and normal[1:].isascii() and normal[1:].isdigit()


@given(st.from_regex(r"\+86 ?1[3-9][0-9]{9}|\+[1-9][0-9]{6,14}", fullmatch=True))
def test_a_mask_hides_at_least_half(text: str) -> None:
    try:
        phone = normalise_phone(text)
    except Problem:
        return
    shown = mask_phone(phone).replace("****", "").lstrip("+")
    assert len(shown) <= 7 and len(phone.lstrip("+")) - len(shown) >= 3


@pytest.mark.parametrize(
    ("phone", "masked"),
    [("+8613800138000", "138****8000"), ("+442071838750", "+44****8750"), ("+1234567", "+1****67")],
)
def test_mask_phone(phone: str, masked: str) -> None:
    assert mask_phone(phone) == masked


@pytest.mark.parametrize(
    ("name", "masked"), [("张小明", "张**"), ("王五", "王*"), ("李", "*"), ("Alexandra Smith", "A***")]
)
def test_mask_name(name: str, masked: str) -> None:
    assert mask_name(name) == masked


@pytest.mark.parametrize(
    ("phone_owner", "external_owner", "has_external_id", "expected"),
    [
        (None, None, False, Created()),
        (None, None, True, Created()),
        (A, None, False, Existing(A)),  # a sign-up of a known phone
        (A, A, True, Existing(A)),  # the same request again
        (A, None, True, "phone belongs to another"),
        (None, A, True, "external_id belongs to a person with another phone"),
        (B, A, True, "external_id belongs to a person with another phone"),
    ],
)
def test_decide_creation(
    phone_owner: UUID | None, external_owner: UUID | None, has_external_id: bool, expected: object
) -> None:
    outcome = decide_creation(phone_owner, external_owner, has_external_id=has_external_id)
    if isinstance(expected, str):
        assert (
            isinstance(outcome, Problem)
            and outcome.code is Code.STATE_CONFLICT
            and expected in outcome.detail
        )
    else:
        assert outcome == expected


@pytest.mark.parametrize(
    ("mode", "phone", "outcome"),
    [
        (Mode.TEST, "+8613800001000", Outcome.ALWAYS_DECLINED),
        (Mode.TEST, "+8613800002999", Outcome.STEP_UP),
        (Mode.TEST, "+8613800003123", Outcome.REVIEW),
        (Mode.TEST, "+8613800004000", Outcome.LATE_PAYER),
        (Mode.TEST, "+8613800005000", Outcome.VERIFICATION_REFUSED),
        (Mode.TEST, "+8613800006001", Outcome.NEEDS_PASSKEY),
        (Mode.TEST, "+8613800007001", Outcome.COOLING),
        (Mode.TEST, "+8613800008001", Outcome.TAKEOVER),
        (Mode.TEST, "+8613800009001", Outcome.DOCUMENT_TAKEN),
        (Mode.TEST, "+8613800000001", Outcome.NONE),
        (Mode.TEST, "+8613800138000", Outcome.NONE),
        (Mode.LIVE, "+8613800001000", Outcome.NONE),
    ],
)
def test_known_outcomes_exist_in_test_books_only(mode: Mode, phone: str, outcome: Outcome) -> None:
    assert rules.outcome_of(mode, phone) is outcome


async def test_a_person_is_shown_masked(world: World) -> None:
    created = await world.create("139 0000 1111", "shop-17", "张小明", "11010519491231002X")
    assert isinstance(created, tuple)
    status, body = created
    assert status == 201
    assert body == {
        "id": body["id"],
        "object": "person",
        "mode": "test",
        "status": "active",
        "tier": 2,
        "wallet": body["wallet"],
        "external_id": "shop-17",
        "phone": "139****1111",
        "name": "张**",
        "test_outcome": "none",
        "cooling_ends_at": None,
        "created_at": "2026-09-03T04:00:00Z",
    }
    person_id, wallet_id = decode(Prefix.PERSON, str(body["id"])), decode(Prefix.WALLET, str(body["wallet"]))
    async with world.database.read() as db:
        assert json.encode(await show_person(db, world.vault, world.book, person_id)) == json.encode(body)
        assert await person_of_wallet(db, world.book, wallet_id) == person_id
        assert (await get_person(db, world.vault, world.book, person_id)).tier is Tier.II


async def test_what_stands_in_the_database_is_sealed(world: World, settings: object) -> None:
    await world.create(PHONE, "shop-17", "张小明", "11010519491231002X")
    async with world.database.read() as db:
        rows = [dict(row) for row in await db.fetch("select * from personal_data, person, name_claim")]
    text = repr(rows)
    for clear in (PHONE[3:], "shop-17", "小明", "110105", "张小明".encode().hex(), PHONE.encode().hex()):
        assert clear not in text


async def test_the_same_request_finds_the_same_person(world: World) -> None:
    first = await world.create(PHONE, "shop-17")
    again = await world.create("139-0000-1111", "shop-17")
    signed_up = await world.create(PHONE)
    assert isinstance(first, tuple) and isinstance(again, tuple) and isinstance(signed_up, tuple)
    assert (first[0], again[0], signed_up[0]) == (201, 200, 200)
    assert first[1] == again[1] == signed_up[1]


async def test_names_belong_to_one_person(world: World) -> None:
    await world.create(PHONE, "shop-17")
    phone_taken = await world.create(PHONE, "shop-18")
    id_taken = await world.create("+8613900002222", "shop-17")
    assert isinstance(phone_taken, Problem) and "phone belongs to another person" in phone_taken.detail
    assert isinstance(id_taken, Problem) and "external_id belongs to a person" in id_taken.detail
    assert phone_taken.code is id_taken.code is Code.STATE_CONFLICT
    # What was refused has claimed nothing: both names are free for others.
    free = await world.create("+8613900002222", "shop-18")
    assert isinstance(free, tuple) and free[0] == 201


async def test_books_do_not_share_people(world: World) -> None:
    here, there = await world.create(PHONE, "shop-17"), await world.create(PHONE, "shop-17", book=world.live)
    assert isinstance(here, tuple) and isinstance(there, tuple)
    assert here[0] == there[0] == 201 and here[1]["id"] != there[1]["id"]
    assert there[1]["mode"] == "live" and there[1]["test_outcome"] is None
    async with world.database.read() as db:
        with pytest.raises(Problem, match="No such person"):
            await show_person(db, world.vault, world.live, decode(Prefix.PERSON, str(here[1]["id"])))


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"external_id": ""}, "/external_id"),
        ({"external_id": " "}, "/external_id"),
        ({"external_id": "x" * 65}, "/external_id"),
        ({"external_id": "a\x00b"}, "/external_id"),
        ({"name": "x" * 101}, "/name"),
        ({"name": "a\nb"}, "/name"),
        ({"document": "\u202e"}, "/document"),
    ],
)
async def test_unusable_texts_are_refused(world: World, fields: dict[str, str], pointer: str) -> None:
    refused = await world.create(PHONE, **fields)
    assert isinstance(refused, Problem) and refused.errors[0].pointer == pointer
    async with world.database.read() as db:
        assert await db.fetchval("select count(*) from person") == 0


async def test_a_race_of_creations_makes_one_person(world: World) -> None:
    """Two processes, many requests for the same person, in whatever bucket each falls."""
    others = world.more_lanes()
    answers = await asyncio.gather(
        *(world.create(PHONE, "shop-17", lanes=others if n % 2 else world.lanes) for n in range(60))
    )
    assert all(isinstance(answer, tuple) for answer in answers), answers
    assert sorted(answer[0] for answer in answers)[:-1] == [200] * 59
    assert len({json.encode(answer[1]) for answer in answers}) == 1
    async with world.database.read() as db:
        assert await db.fetchval("select count(*) from person") == 1
        assert await db.fetchval("select count(*) from name_claim") == 2
        assert await db.fetchval("select count(*) from account where kind = 1") == 1
    await others.drain()


async def test_crossed_names_in_a_race_never_give_a_name_twice(world: World) -> None:
    """The same phones and external ids in all pairings: each name ends with one person or with none."""
    others = world.more_lanes()
    pairs = [(f"+86139000011{p}", f"shop-{e}") for p in range(10, 14) for e in range(10, 14)] * 3
    answers = await asyncio.gather(
        *(
            world.create(phone, ext, lanes=others if n % 2 else world.lanes)
            for n, (phone, ext) in enumerate(pairs)
        )
    )
    problems = [answer for answer in answers if isinstance(answer, Problem)]
    assert {problem.code for problem in problems} <= {Code.STATE_CONFLICT, Code.OVERLOADED}
    async with world.database.read() as db:
        people = {row["id"] for row in await db.fetch("select id from person")}
        claims = await db.fetch("select kind, object_id from name_claim")
    assert {row["object_id"] for row in claims} == people, "no name is left to somebody who was not made"
    assert len(claims) == 2 * len(people)
    made = [answer for answer in answers if isinstance(answer, tuple) and answer[0] == 201]
    assert len(made) == len(people) >= 1
    await others.drain()


async def test_within_a_batch_a_refused_command_leaves_its_names(world: World) -> None:
    """In one transaction: the second is refused for its phone, so its external id is free for the third."""
    slot = 1
    wanted = [
        ("+8613900001111", "a"),
        ("+8613900001111", "b"),
        ("+8613900002222", "b"),
        ("+8613900003333", None),
    ]
    commands = [
        CreatePerson(
            at=world.at,
            person_id=world.ids.new(world.at, slot),
            phone=Private(phone),
            external_id=Private(ext) if ext else None,
        )
        for phone, ext in wanted
    ]
    bucket = world.book.bucket_of_slot(slot)
    answers = await asyncio.gather(
        *(world.lanes.submit(bucket, command) for command in commands), return_exceptions=True
    )
    assert world.lanes.stats.batches == 1
    assert [answer.status if isinstance(answer, Answer) else answer.code for answer in answers] == [  # type: ignore[union-attr]
        201,
        Code.STATE_CONFLICT,
        201,
        201,
    ]
    async with world.database.read() as db:
        owner = await store.find_owner(db, name_of(world.vault, world.book, "external_id", Private("b")))
    assert owner == commands[2].person_id


async def test_a_name_let_go_while_it_is_claimed_is_claimed(world: World, database: Database) -> None:
    """The insert waits for another transaction, whose name then goes: it is asked for again, not forgotten."""
    name = name_of(world.vault, world.book, PHONE_NAME, Private(PHONE))
    async with database.transaction() as one:
        await claim_names(one, {name: A}, world.at)

    async def claim() -> UUID:
        async with database.transaction() as other:
            return (await claim_names(other, {name: B}, world.at))[name.id]

    async with database.transaction() as one:
        await release_names(one, {name: A})
        waiting = asyncio.create_task(claim())
        await asyncio.sleep(0.1)
        assert not waiting.done()
    assert await waiting == B


async def test_freeze_ends_sessions_and_unfreeze_lets_in_again(world: World) -> None:
    person_id = await world.person()
    opened = await world.sign_in()
    await freeze_person(world.database, world.book, world.ids, person_id, world.act(person_id))
    await freeze_person(world.database, world.book, world.ids, person_id, world.act(person_id))
    with pytest.raises(Problem, match="unauthenticated"):
        await world.authenticator.authenticate(f"Bearer {opened.token}")
    with pytest.raises(Problem, match="frozen"):
        await world.sign_in()
    async with world.database.transaction() as db:
        guard = (await store.lock_people(db, world.book.bucket_of(person_id), [person_id]))[person_id]
    assert guard.status is PersonStatus.FROZEN
    await unfreeze_person(
        world.database, world.book, world.ids, person_id, world.act(person_id, "unfreeze_person")
    )
    with pytest.raises(Problem, match="not frozen"):
        await unfreeze_person(world.database, world.book, world.ids, person_id, world.act(person_id))
    assert (await world.sign_in()).person_id == person_id


@pytest.mark.parametrize("deed", [freeze_person, unfreeze_person])
async def test_an_unknown_person_is_not_found(world: World, deed: object) -> None:
    unknown = world.ids.new_anywhere(world.at)
    with pytest.raises(Problem, match="No such person"):
        await deed(world.database, world.book, world.ids, unknown, world.act(unknown))  # type: ignore[operator]


async def test_erasure_makes_all_that_is_known_unreadable(world: World) -> None:
    created = await world.create(PHONE, "shop-17", "张小明", "11010519491231002X")
    assert isinstance(created, tuple)
    person_id = decode(Prefix.PERSON, str(created[1]["id"]))
    await world.sign_in(device="小明的手机")
    await world.set_pin(person_id)
    async with world.database.read() as db:
        before = await db.fetchrow("select sealed_key, phone from personal_data")
    assert before is not None

    act = world.act(person_id, "erase_person")
    with pytest.raises(Problem, match="Freeze the person first"):
        await erase_person(world.database, world.vault, world.book, world.ids, person_id, act)
    await freeze_person(world.database, world.book, world.ids, person_id, world.act(person_id))
    await erase_person(world.database, world.vault, world.book, world.ids, person_id, act)
    async with world.database.read() as db:
        shown = await show_person(db, world.vault, world.book, person_id)
        assert (shown.status, shown.phone, shown.name, shown.external_id) == (
            PersonStatus.ERASED,
            None,
            None,
            None,
        )
        for table in ("personal_data", "payment_pin", "name_claim"):
            assert await db.fetchval(f"select count(*) from {table}") == 0, table
        assert await db.fetchval("select count(*) from session where device <> '' or revoked_at is null") == 0
        assert await store.load_phone(db, world.vault, world.book.bucket_of(person_id), person_id) is None
    with pytest.raises(Problem, match="No such person"):
        await erase_person(
            world.database, world.vault, world.book, world.ids, person_id, world.act(person_id)
        )
    again = await world.create(PHONE, "shop-17")
    assert isinstance(again, tuple) and again[0] == 201 and again[1]["id"] != encode(Prefix.PERSON, person_id)


async def test_people_are_locked_in_order_and_unknown_ones_are_absent(world: World) -> None:
    ids = [await world.person(f"+86139000022{n:02}") for n in range(6)]
    bucket = world.book.buckets[0]
    here = [id_ for id_ in ids if world.book.bucket_of(id_) == bucket]
    async with world.database.transaction() as db:
        locked = await store.lock_people(db, bucket, [*reversed(ids), UUID(int=9)])
    assert list(locked) == sorted(here)
