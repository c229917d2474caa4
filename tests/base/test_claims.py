"""Key claims: what counts as the same request, which field differs, and what two transactions see of one key."""

import asyncio
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import json

from wufeng.base.books import Book, Mode, create_book
from wufeng.base.claims import (
    Answer,
    KeyClaim,
    answer_claims,
    claim_key,
    forget_claims,
    insert_claims,
    key_id,
    load_claims,
    release_claims,
)
from wufeng.base.database import Connection, Database
from wufeng.base.errors import Code
from wufeng.base.ids import slot_of

AT = datetime(2026, 9, 3, 4, 0, tzinfo=UTC)
PEPPER = b"p" * 32
CALLER, OTHER = UUID(int=1), UUID(int=2)
BODY: dict[str, Any] = {
    "amount_minor": 1200,
    "currency": "CNY",
    "order": {"order_no": "A-1", "subject": "茶", "metadata": {"a": "1"}},
    "funding": [{"line": "lin_1", "tenor": 3}, {"wallet": "wal_1"}],
    "capture": "now",
    "receipt": None,
    "final": True,
}


def claim(body: dict[str, Any], operation: str = "POST /v1/payments", pepper: bytes = PEPPER) -> KeyClaim:
    return claim_key(pepper, CALLER, "k1", operation, body)


def difference(first: dict[str, Any], second: dict[str, Any]) -> str | None:
    problem = claim(second).problem_if_other(claim(first).digest)
    if problem is None:
        return None
    assert problem.code is Code.IDEMPOTENCY_KEY_REUSED
    return problem.detail


@pytest.mark.parametrize(
    "same",
    [
        dict(reversed(BODY.items())),  # the order of names
        json.decode(json.encode(BODY)),
        json.decode(
            b' {"amount_minor" : 1200, ' + json.encode(BODY)[len(b'{"amount_minor":1200,') :]
        ),  # spaces
        json.decode(json.encode(BODY).replace("茶".encode(), b"\\u8336")),  # an escape for a character
        {name: value for name, value in BODY.items() if value is not None},  # null is absent
        BODY | {"coupon": None, "more": {"nothing": None}} | {"more": None},
        BODY | {"funding": ({"line": "lin_1", "tenor": 3, "extra": None}, {"wallet": "wal_1"})},
    ],
)
def test_the_same_request(same: dict[str, Any]) -> None:
    assert difference(BODY, same) is None
    assert claim(BODY) == claim(BODY) and claim(same).digest == claim(BODY).digest


@pytest.mark.parametrize(
    ("changed", "detail"),
    [
        (
            {"amount_minor": 1300},
            "/amount_minor differs from the first request with this key (use a new key).",
        ),
        ({"amount_minor": "1200"}, "/amount_minor differs"),  # a text is no number
        ({"final": 1}, "/final differs"),  # nor is a truth
        ({"final": False}, "/final differs"),
        ({"currency": "cny"}, "/currency differs"),
        ({"order": BODY["order"] | {"order_no": "A-2"}}, "/order/order_no differs"),
        ({"order": BODY["order"] | {"subject": "茶 "}}, "/order/subject differs"),
        (
            {"order": BODY["order"] | {"metadata": {"a": "1", "b": "2"}}},
            "/order/metadata/b was not in the first",
        ),
        (
            {"funding": BODY["funding"][::-1]},
            "/funding/0/wallet was not in the first request",
        ),  # order counts
        ({"funding": BODY["funding"][:1]}, "A field of the first request with this key is missing"),
        ({"coupon": "c"}, "/coupon was not in the first request with this key"),
        ({"coupon": ""}, "/coupon was not in the first"),  # an empty text is something
        ({"coupons": []}, "/coupons was not in the first"),
        ({"capture": None}, "A field of the first request with this key is missing"),
    ],
)
def test_another_request_and_its_field(changed: dict[str, Any], detail: str) -> None:
    found = difference(BODY, BODY | changed)
    assert found is not None and found.startswith(detail)


def test_unicode_forms_are_different_texts() -> None:
    """Two spellings of é are stored as two texts, so they are two requests."""
    assert difference({"name": "caf\u00e9"}, {"name": "cafe\u0301"}) is not None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"m": {"a/b": "1"}}, {"m": {"a": {"b": "1"}}}),
        ({"m": {"a~1b": "1"}}, {"m": {"a/b": "1"}}),
        ({"m": {}}, {"m": []}),
        ({"m": [None]}, {"m": []}),
        ({"m": [[], ["x"]]}, {"m": [["x"], []]}),
        ({"a": "x\0str:y"}, {"a\0str:x": "y"}),
        ({"a": "1", "b": "2"}, {"a": "2", "b": "1"}),
    ],
)
def test_shapes_that_look_alike_are_told_apart(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert difference(one, other) is not None and difference(other, one) is not None


def test_a_key_on_another_route_is_told_as_such() -> None:
    problem = claim(BODY).problem_if_other(claim(BODY, "POST /v1/refunds").digest)
    assert problem is not None and problem.detail.startswith("the method or path differs")


def test_keys_belong_to_their_caller() -> None:
    assert key_id(CALLER, "k") != key_id(OTHER, "k") != key_id(OTHER, "l")


def test_digests_hide_what_was_asked() -> None:
    """Short values must not be guessed from the table: another installation's digests are others."""
    mine, theirs = claim(BODY), claim(BODY, pepper=b"q" * 32)
    assert mine.id == theirs.id and mine.digest[:16] != theirs.digest[:16]
    assert all(part not in mine.digest for part in (b"1200", b"CNY", "茶".encode(), b"A-1"))


SCALARS = st.one_of(st.booleans(), st.integers(-5, 5), st.text(max_size=3), st.none())
NAMES = st.text(
    st.characters(exclude_categories=["Nd", "Cs"]), max_size=3
)  # a digit would name a list's place
VALUES = st.recursive(
    SCALARS, lambda s: st.one_of(st.lists(s, max_size=3), st.dictionaries(NAMES, s, max_size=3)), max_leaves=6
)
BODIES = st.dictionaries(NAMES, VALUES, max_size=5)


def canonical(value: Any) -> Any:
    """What a digest means: no nulls in objects, true is not 1."""
    if isinstance(value, dict):
        return {name: canonical(item) for name, item in value.items() if item is not None}
    if isinstance(value, list):
        return [canonical(item) for item in value]
    return type(value).__name__, value


@given(BODIES, BODIES)
def test_digests_agree_exactly_when_requests_do(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert (difference(one, other) is None) == (canonical(one) == canonical(other))
    assert difference(one, one) is None


def test_names_that_share_a_short_digest_do_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wufeng.base.claims._NAME_BYTES", 1)  # 300 names in 256 digests
    one = {f"n{n}": n for n in range(300)}
    found = difference(one, one | {"n7": 8})
    assert found is not None and "use a new key" in found


@pytest.fixture
async def book(db: Connection) -> Book:
    return await create_book(
        db, Book(0, "main", Mode.TEST, "CNY", "Asia/Shanghai", time(0), 0, (), ()), 3, AT
    )


def claims_of(count: int) -> list[KeyClaim]:
    return [claim_key(PEPPER, CALLER, f"k{n}", "POST /x", {"n": n}) for n in range(count)]


async def test_a_claim_lives_where_its_hash_says(db: Connection, book: Book) -> None:
    claims = claims_of(60)
    assert await insert_claims(db, book, claims, AT) == {}
    rows = await db.fetch("select bucket, id from key_claim")
    assert {row["id"]: row["bucket"] for row in rows} == {
        claim.id: book.bucket_of_slot(slot_of(claim.id)) for claim in claims
    }
    assert {row["bucket"] for row in rows} == set(book.buckets), "keys spread over the buckets"


async def test_a_claim_is_answered_once_and_found_again(db: Connection, book: Book) -> None:
    claims = claims_of(5)
    await insert_claims(db, book, claims, AT)
    answer = Answer(201, b'{"id": "pay_1"}  ', UUID(int=9))
    await answer_claims(db, book, {claims[0].id: answer, claims[1].id: Answer(402, b"{}")})
    await release_claims(db, book, [claims[0].id, claims[2].id])
    known = await insert_claims(db, book, claims, AT)
    assert known[claims[0].id].answer == answer, "byte for byte, and an answered claim is not given back"
    assert known[claims[0].id].digest == claims[0].digest
    assert known[claims[1].id].answer == Answer(402, b"{}")
    assert claims[2].id not in known, "given back, and claimed anew"
    assert known[claims[3].id].answer is None


async def test_whoever_comes_second_waits_and_then_reads(
    database: Database, db: Connection, book: Book
) -> None:
    (claim,) = claims_of(1)
    other = await database.connect("other")
    first = db.transaction()
    await first.start()
    await insert_claims(db, book, [claim], AT)
    second = asyncio.create_task(insert_claims(other, book, [claim], AT))
    await asyncio.sleep(0.05)
    assert not second.done()
    await answer_claims(db, book, {claim.id: Answer(201, b"1")})
    await first.commit()
    assert (await second)[claim.id].answer == Answer(201, b"1")


async def test_whoever_comes_second_gets_the_key_of_one_who_failed(
    database: Database, db: Connection, book: Book
) -> None:
    (claim,) = claims_of(1)
    other = await database.connect("other")
    first = db.transaction()
    await first.start()
    await insert_claims(db, book, [claim], AT)
    second = asyncio.create_task(insert_claims(other, book, [claim], AT))
    await asyncio.sleep(0.05)
    await release_claims(db, book, [claim.id])
    await first.commit()
    assert await second == {}
    assert claim.id in await load_claims(db, book, [claim.id])


async def test_a_claim_that_goes_between_two_statements_is_claimed_anew(
    db: Connection, book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cleaner may delete an old claim after it stood in the way and before it is read."""
    (claim,) = claims_of(1)
    await insert_claims(db, book, [claim], AT)

    async def forgotten(db: Connection, book: Book, ids: list[UUID]) -> Any:
        await db.execute("delete from key_claim")
        return await load_claims(db, book, ids)

    monkeypatch.setattr("wufeng.base.claims.load_claims", forgotten)
    assert await insert_claims(db, book, [claim], AT) == {}
    assert await db.fetchval("select count(*) from key_claim") == 1


async def test_batches_that_claim_the_same_keys_in_other_orders_do_not_deadlock(
    database: Database, book: Book
) -> None:
    claims = claims_of(40)

    async def batch(place: int) -> int:
        async with database.transaction() as db:
            known = await insert_claims(db, book, claims if place % 2 else claims[::-1], AT)
            await answer_claims(
                db, book, {c.id: Answer(200, b"%d" % place) for c in claims if c.id not in known}
            )
            return len(claims) - len(known)

    assert sorted(await asyncio.gather(*(batch(place) for place in range(4)))) == [0, 0, 0, 40]


async def test_old_claims_are_forgotten_a_few_at_a_time(db: Connection, book: Book) -> None:
    await insert_claims(db, book, claims_of(30), AT)
    await insert_claims(db, book, [claim_key(PEPPER, OTHER, "young", "POST /x", {})], AT + timedelta(hours=2))
    gone = 0
    for bucket in book.buckets:
        while count := await forget_claims(db, bucket, AT + timedelta(hours=1), 4):
            assert count <= 4
            gone += count
    assert gone == 30 and await db.fetchval("select count(*) from key_claim") == 1
