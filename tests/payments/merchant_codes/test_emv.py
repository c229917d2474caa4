"""The EMVCo codec: published samples, what is refused and where, and what always holds; another library agrees."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wufeng.base.errors import Problem
from wufeng.base.money import CURRENCY_EXPONENTS
from wufeng.payments.merchant_codes import emv
from wufeng.payments.merchant_codes.currencies import ALPHABETIC, NUMERIC
from wufeng.payments.merchant_codes.emv import Field, Payload, Template

EMVCO = (
    "00020101021229300012D156000000000510A93FO3230Q31280012D15600000001030812345678520441115802CN"
    "5914BEST TRANSPORT6007BEIJING64200002ZH0104最佳运输0202北京540523.7253031565502016233030412340603***"
    "0708A60086670902ME91320016A0112233449988770708123456786304A13A"
)
PIX = (
    "00020126580014br.gov.bcb.pix0136123e4567-e12b-12d1-a456-4266554400005204000053039865802BR"
    "5913Fulano de Tal6008BRASILIA62070503***63041D3D"
)
MASTERCARD = (
    "000201010211057704736a2f41a3-c54c-fce8-32d2-0324e1c32e22*3440e5bf-81ca-4c5f-a1b2-cf989f09a039"
    "52045024530384054031005802US5913Test Merchant6008New York62080304123463046F6D"
)
"""EMVCo's own sample, the Pix manual's, and the one of Mastercard's developer page."""


def sealed(body: str) -> str:
    """A text with a checksum that fits."""
    return body + "6304" + emv.checksum((body + "6304").encode())


def refused(text: str) -> str:
    with pytest.raises(Problem) as caught:
        emv.parse(text)
    assert caught.value.code.value == "invalid_field" and caught.value.errors[0].pointer == "/text"
    return caught.value.detail


@pytest.mark.parametrize(
    ("text", "currency", "amount_minor", "said"),
    [
        (
            EMVCO,
            "CNY",
            23_72,
            {"59": "BEST TRANSPORT", "64.01": "最佳运输", "62.07": "A6008667", "29.05": "A93FO3230Q"},
        ),
        (PIX, "BRL", None, {"59": "Fulano de Tal", "26.00": "br.gov.bcb.pix", "62.05": "***", "01": None}),
        (
            MASTERCARD,
            "USD",
            100_00,
            {"59": "Test Merchant", "60": "New York", "62.03": "1234", "62.05": None},
        ),
    ],
)
def test_published_samples(text: str, currency: str, amount_minor: int | None, said: dict[str, str]) -> None:
    payload = emv.parse(text)
    assert (payload.currency, payload.amount_minor) == (currency, amount_minor)
    assert {id_: payload.value(id_) for id_ in said} == said
    assert emv.build(payload) == text


def test_lengths_are_characters_and_the_checksum_is_over_bytes() -> None:
    payload = emv.parse(EMVCO)
    assert payload.value("64.02") == "北京" and "0202北京" in EMVCO
    assert emv.checksum(EMVCO[:-4].encode()) == "A13A"
    assert emv.checksum(b"123456789") == "29B1"  # the check value of CRC-16/CCITT-FALSE


def test_every_currency_of_ours_has_its_digits() -> None:
    assert set(NUMERIC) == set(CURRENCY_EXPONENTS) and len(ALPHABETIC) == len(NUMERIC)
    assert (NUMERIC["CNY"], ALPHABETIC["986"]) == ("156", "BRL")


HEAD = "000201010211"
ACCOUNT = "26140010org.wufeng"
REST = "5204411153031565802CN5904SHOP6007BEIJING"
SOUND = HEAD + ACCOUNT + REST


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (SOUND[6:], "does not begin with its version"),
        ("000202" + SOUND[6:], "00: it must be 01"),
        (SOUND.replace("010211", "010213"), "01: it must be 11 (static) or 12 (dynamic)"),
        (SOUND.replace(ACCOUNT, ""), "no merchant's account"),
        (SOUND.replace("52044111", ""), "52 is missing"),
        (SOUND.replace("52044111", "5204411A"), "52: it must be four digits"),
        (SOUND.replace("5303156", ""), "53 is missing"),
        (SOUND.replace("5303156", "5303999"), "53: this currency is unknown"),
        (SOUND.replace("5303156", "5303000"), "53: this currency is unknown"),
        (SOUND.replace("5802CN", "5802cn"), "58: it must be two capital letters"),
        (SOUND.replace("5904SHOP", "5926" + "S" * 26), "59: it has more than 25 characters"),
        (SOUND.replace("6007BEIJING", "6016" + "B" * 16), "60: it has more than 15 characters"),
        (SOUND + "5802CN", "58 at 70: it is there twice"),
        (SOUND.replace(ACCOUNT, "26280010org.wufeng0010org.wufeng"), "26.00 at 30: it is there twice"),
        (SOUND.replace(ACCOUNT, "26140011org.wufeng"), "26.00 at 16: it says 11 characters, 10 are left"),
        (SOUND + "6199100", "61 at 70: it says 99 characters"),
        (SOUND + "6100", "61 at 70: its length is not two digits from 01 to 99"),
        (SOUND + "610x1", "61 at 70: its length is not two digits"),
        (SOUND + "６１011", "at 70 the two digits of an id are expected"),
        (SOUND + "61", "61 at 70: its length"),
        (SOUND + "6", "at 70 the two digits"),
        (SOUND + "6101\n", "cannot be shown"),
        (SOUND + "54051.234", "54: an amount with at most 2 decimals"),
        (SOUND + "54010", "54: this amount cannot be paid"),
        (SOUND + "540512,34", "54: an amount"),
        (SOUND + "5403-12", "54: an amount"),
        (SOUND + "540512.3.", "54: an amount"),
        (SOUND + "550204", "55: it must be 01, 02 or 03"),
        (SOUND + "550202", "55 and 56 do not fit"),
        (SOUND + "550201560212", "55 and 56 do not fit"),
        (SOUND.replace("5303156", "5303392") + "54041.00", "54: an amount with at most 0 decimals"),
    ],
)
def test_what_is_not_sound_is_refused_with_its_place(body: str, told: str) -> None:
    assert told in refused(sealed(body))


def test_sums_that_do_not_fit() -> None:
    assert emv.parse(sealed(SOUND))
    text = sealed(SOUND)
    assert "does not fit" in refused(text.replace("SHOP", "SHOE"))
    assert "does not fit" in refused(text[:-4] + text[-4:].lower()) or text[-4:].isdigit()
    assert "does not end with a checksum" in refused(SOUND)
    assert "does not end with a checksum" in refused(text + " ")
    assert "513 characters" in refused("0" * 513)
    assert "character 3 is none" in refused("000\ud800")


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    """With a checksum that fits too, so that the inside is looked at."""
    for one in (text, sealed("000201" + text.encode("utf-8", "replace").decode())):
        with contextlib.suppress(Problem):
            assert emv.build(emv.parse(one)) == one


PRINTABLE = st.characters(codec="utf-8", categories=("L", "N", "P", "S"))


def texts(most: int) -> st.SearchStrategy[str]:
    return st.text(PRINTABLE, min_size=1, max_size=most).filter(str.isprintable)


@st.composite
def payloads(draw: Any) -> Payload:
    """Any payload that may be written: other schemes' accounts, languages, additional data, in any order."""
    currency = draw(st.sampled_from(sorted(NUMERIC)))
    places = CURRENCY_EXPONENTS[currency]
    objects: list[Field | Template] = [
        Field("52", draw(st.from_regex(r"[0-9]{4}", fullmatch=True))),
        Field("53", NUMERIC[currency]),
        Field("58", draw(st.from_regex(r"[A-Z]{2}", fullmatch=True))),
        Field("59", draw(texts(25))),
        Field("60", draw(texts(15))),
        Template("26", (Field("00", "org.wufeng"), Field("01", draw(texts(20))))),
    ]
    if draw(st.booleans()):
        whole, part = draw(st.integers(1, 10**9)), draw(st.integers(0, 10**places - 1))
        objects.append(Field("54", f"{whole}.{part:0{places}d}" if places else str(whole)))
    if draw(st.booleans()):
        objects.append(Template("62", (Field("03", draw(texts(25))), Field("07", draw(texts(25))))))
    if draw(st.booleans()):
        objects.append(Template("64", (Field("00", "ZH"), Field("01", draw(texts(25))))))
    if draw(st.booleans()):
        objects.append(Field("05", draw(texts(99))))
    first = (
        Field("00", "01"),
        *((Field("01", draw(st.sampled_from(["11", "12"]))),) if draw(st.booleans()) else ()),
    )
    return Payload((*first, *draw(st.permutations(objects))))


@given(payloads())
def test_what_is_written_is_read_again(payload: Payload) -> None:
    text = emv.build(payload)
    assert emv.parse(text) == payload


@given(payloads(), st.data())
def test_one_changed_character_is_noticed(payload: Payload, data: Any) -> None:
    text = emv.build(payload)
    at = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(PRINTABLE.filter(lambda each: each != text[at] and ord(each) < 0x80))
    refused(text[:at] + other + text[at + 1 :])


@given(payloads())
def test_another_library_reads_the_same(payload: Payload) -> None:
    """qriskit (MIT) is of other people, for Indonesia's codes: its reading of objects and its checksum are EMVCo's."""
    tlv = pytest.importorskip("qriskit.tlv", reason="qriskit is not installed")
    crc = pytest.importorskip("qriskit.crc")
    text = emv.build(payload)
    theirs = tlv.decode(text)
    assert theirs[-1].value == crc.crc16(text[:-4])
    assert [(node.tag, node.value) for node in theirs[:-1]] == [
        (one.id, one.value if isinstance(one, Field) else "".join(map(str, one.fields)))
        for one in payload.objects
    ]
    for one in payload.objects:
        if isinstance(one, Template):
            inner = next(node.value for node in theirs if node.tag == one.id)
            assert [(node.tag, node.value) for node in tlv.decode(inner)] == [
                (f.id, f.value) for f in one.fields
            ]
