"""Ids: TypeIDs over UUIDv7, with the slot in the last sixteen bits."""

import random
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wufeng.base.ids import SLOTS, IdMaker, Prefix, decode, encode, hashed_id, slot_of, slot_of_hash

AT = datetime(2026, 9, 3, 4, 0, 0, 123_456, tzinfo=UTC)

# The valid and invalid examples of the TypeID specification 0.3 (valid.yml, invalid.yml), with a prefix of ours.
VECTORS = [
    ("00000000-0000-0000-0000-000000000000", "00000000000000000000000000"),
    ("00000000-0000-0000-0000-000000000001", "00000000000000000000000001"),
    ("00000000-0000-0000-0000-00000000000a", "0000000000000000000000000a"),
    ("00000000-0000-0000-0000-000000000010", "0000000000000000000000000g"),
    ("00000000-0000-0000-0000-000000000020", "00000000000000000000000010"),
    ("ffffffff-ffff-ffff-ffff-ffffffffffff", "7zzzzzzzzzzzzzzzzzzzzzzzzz"),
    ("0110c853-1d09-52d8-d73e-1194e95b5f19", "0123456789abcdefghjkmnpqrs"),
    ("01890a5d-ac96-774b-bcce-b302099a8057", "01h455vb4pex5vsknk084sn02q"),
]


@pytest.mark.parametrize(("uuid", "text"), VECTORS)
def test_the_vectors_of_the_specification(uuid: str, text: str) -> None:
    assert encode(Prefix.PAYMENT, UUID(uuid)) == f"pay_{text}"
    assert decode(Prefix.PAYMENT, f"pay_{text}") == UUID(uuid)


@pytest.mark.parametrize(
    "text",
    [
        "PAY_00000000000000000000000000",
        "pay_1234567890123456789012345",  # 25
        "pay_123456789012345678901234567",  # 27
        "pay_1234567890123456789012345 ",
        "pay_0123456789ABCDEFGHJKMNPQRS",  # upper case
        "pay_123456789-123456789-123456",
        "pay_ooooooooooooiiiiiiuuuuuuul",  # letters that base 32 leaves out
        "pay_i23456789ol23456789oi23456",
        "pay_123456789-0123456789-0123456",
        "pay_8zzzzzzzzzzzzzzzzzzzzzzzzz",  # more than 128 bits
        "pay",
        "_00000000000000000000000000",
        "pay_",
        "",
        "00000000000000000000000000",
        "per_00000000000000000000000000",  # another kind
        "xpay_00000000000000000000000000",
        "pay__00000000000000000000000000",
        "pay_0000000000000000000000000\u0660",  # an Arabic digit
        "pay_" + "0" * 10_000,
    ],
)
def test_what_is_no_id_of_that_kind(text: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011
        decode(Prefix.PAYMENT, text)
    assert len(str(refused.value)) < 150, "the message does not repeat a flood"


@given(st.uuids(), st.sampled_from(Prefix))
def test_reading_undoes_writing(id_: UUID, prefix: Prefix) -> None:
    text = encode(prefix, id_)
    assert decode(prefix, text) == id_
    assert len(text) == len(prefix.value) + 27


@given(st.uuids(), st.uuids())
def test_texts_sort_as_their_ids(one: UUID, other: UUID) -> None:
    assert (one < other) == (encode(Prefix.BILL, one) < encode(Prefix.BILL, other))


@given(st.integers(0, 2**42), st.integers(0, 999), st.integers(0, SLOTS - 1))
def test_an_id_keeps_its_millisecond_and_its_slot(millis: int, micros: int, slot: int) -> None:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=millis, microseconds=micros)
    made = IdMaker(random.Random(1)).new(at, slot)
    assert made.version == 7 and made.variant == "specified in RFC 4122"
    assert slot_of(made) == slot
    assert made.int >> 80 == millis


def test_later_ids_sort_later() -> None:
    maker = IdMaker()
    made = [maker.new_anywhere(AT + timedelta(milliseconds=n)) for n in range(1_000)]
    assert made == sorted(made)


def test_ids_of_one_millisecond_differ() -> None:
    maker = IdMaker()
    assert len({maker.new(AT, 7) for _ in range(20_000)}) == 20_000
    assert len({IdMaker().new(AT, 7) for _ in range(100)}) == 100, "makers do not share their randomness"


def test_the_same_seed_makes_the_same_ids() -> None:
    one, other = IdMaker(random.Random(5)), IdMaker(random.Random(5))
    assert [one.new_anywhere(AT) for _ in range(5)] == [other.new_anywhere(AT) for _ in range(5)]


def test_people_spread_over_all_slots() -> None:
    maker = IdMaker(random.Random(5))
    quarters = [slot_of(maker.new_anywhere(AT)) * 4 // SLOTS for _ in range(4_000)]
    assert all(850 < quarters.count(quarter) < 1_150 for quarter in range(4))


def test_prefixes_are_three_letters_and_given_once() -> None:
    values = [prefix.value for prefix in Prefix]
    assert len(set(values)) == len(values)
    assert all(len(value) == 3 and value.isalpha() and value.islower() for value in values)


def test_a_hashed_id_tells_where_its_parts_end() -> None:
    assert hashed_id(b"ab", b"c") != hashed_id(b"a", b"bc") != hashed_id(b"abc")
    assert hashed_id(b"a", b"") != hashed_id(b"a")
    assert hashed_id(b"a") == hashed_id(b"a")


def test_a_hash_is_homed_by_its_last_bytes() -> None:
    assert slot_of_hash(b"\x00" * 14 + b"\x12\x34") == 0x1234
    assert slot_of_hash(hashed_id(b"a").bytes) == slot_of(hashed_id(b"a"))
