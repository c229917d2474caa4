"""A product file that may not be offered is refused with file, line and field; the shipped one says what it should."""

import tomllib
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.credit.conftest import shipped

from wufeng.base.errors import ConfigurationError
from wufeng.credit.products import files
from wufeng.credit.products.ceiling import highest_rate_ppm
from wufeng.credit.products.files import (
    Mistake,
    examine_product,
    line_of,
    lines_of_fields,
    read_product,
    read_products,
)
from wufeng.credit.products.model import Shipped
from wufeng.credit.products.rules import check_succession

SOURCE = shipped("monthly_bill").source


def edited(old: str, new: str) -> str:
    assert old in SOURCE, old
    return SOURCE.replace(old, new, 1)


def line_with(source: str, text: str) -> int:
    return next(n for n, line in enumerate(source.splitlines(), 1) if text in line)


def test_the_shipped_product_is_the_monthly_bill_of_the_facts() -> None:
    product = shipped("monthly_bill").product
    assert (product.cycle.bill_day, product.cycle.due_day) == (1, 10)
    assert product.due_days.allowed == (8, 9, 10, 15, 20)
    assert product.tenors == (1, 3, 6, 9, 12)
    assert [price.fee_ppm for tenor in product.tenors if (price := product.price(tenor))] == [
        0,
        25_000,
        45_000,
        65_000,
        88_000,
    ]
    assert product.price(5) is None
    assert sum(lender.share_ppm for lender in product.lenders) == 1_000_000


@pytest.mark.parametrize(
    ("old", "new", "at", "says"),
    [
        ("bill_day = 1", "bill_day = 0", "bill_day", "cycle.bill_day is a day of the month"),
        ("bill_day = 1", "bill_day = 10", "due_day = 10", "cycle.due_day is not the bill day"),
        ("allowed = [8,", "allowed = [1,", "allowed", "due_days.allowed holds days of the month other than"),
        ("9, 10, 15", "9, 15", "allowed", "due_days.allowed holds the product's own due day, 10"),
        ("principal_ppm = 100_000", "principal_ppm = 0", "principal_ppm", "minimum.principal_ppm lies between"),
        ("late_daily_ppm = 500", "late_daily_ppm = -1", "late_daily_ppm", "is not negative"),
        ("late_daily_ppm = 500", "late_daily_ppm = 658", "late_daily_ppm", "costs 24.02% a year, above"),
        ("minimum_minor = 1_000", "minimum_minor = 287", "minimum_minor", "is at least 288"),
        ("tenor = 6,", "tenor = 2,", "prices", "stand in the order of their tenors"),
        ("tenor = 12,", "tenor = 1,", "tenor = 1,", "prices[3].tenor lies between 2 and 60"),
        ("fee_ppm = 45_000", "fee_ppm = -1", "fee_ppm = -1", "prices[1].fee_ppm lies between 0 and"),
        ("days_past_due = 0", "days_past_due = 1", "waterfall", "begins at 0 days past due"),
        ('"fee", "interest", "principal"]', '"fee", "fee", "principal"]', '"fee", "fee"', "names fee, interest and"),
        ("suspend_after_days = 1", "suspend_after_days = 0", "suspend_after_days", "lies between 1, the day after"),
        ("maximum_minor = 5_000_000", "maximum_minor = 1", "minimum_minor = 50_000", "is above 0 and not above"),
        ('"transfer", ', "", "forbidden", "must name what is never paid with credit: transfer"),
        ("share_ppm = 1_000_000", "share_ppm = 999_999", "[[lenders]]", "make up 1_000_000 ppm, not 999999"),
        ('currency = "CNY"', 'currency = "RMB"', "currency", "is not an ISO 4217 code"),
        ("version = 1", "version = 0", "version = 0", "counts from 1"),
        ("version = 1", "version = 99_999_999_999", "version = 9", "counts from 1 to 1000000"),
        ('id = "monthly_bill"', 'id = "十周"', "id = ", "id begins with a small letter and is made of small letters"),
        ('id = "monthly_bill"', f'id = "{"a" * 65}"', "id = ", "at most 64"),
        ('en = "Monthly bill"', 'en = ""', "name = ", "name.en is a line of 1 to 100 letters"),
        ('en = "Monthly bill"', f'en = "{"a" * 101}"', "name = ", "name.en is a line of 1 to 100 letters"),
        ('zh = "月付"', 'zh = "月\\u202E付"', "name = ", "name.zh is a line of 1 to 100 letters that can be printed"),
        ('"wufeng_consumer_finance"', '"a b"', 'code = "a b"', "lenders[0].code begins with a small letter"),
        ('"wufeng_consumer_finance"', '"nul\\u0000"', 'code = "nul', "lenders[0].code begins with a small letter"),
        ("version = 1", 'version = "1"', "version = ", "version is wrong: expected `int`, got `str`"),
        ("[arrears]", "[arrears]\nremind_befor = [3]", "remind_befor =", "is not known: did you mean remind_before?"),
        ('remainder = "last"', 'remainder = "middle"', "remainder", "invalid enum value 'middle'; one of first, last"),
    ],
)  # fmt: skip
def test_what_may_not_be_offered_is_named_with_its_line(old: str, new: str, at: str, says: str) -> None:
    source = edited(old, new)
    with pytest.raises(ConfigurationError) as refused:
        read_product(source, "mine.toml")
    message = str(refused.value)
    assert says in message
    assert f"mine.toml:{_line_of(source, at)}: " in message, message


def _line_of(source: str, at: str) -> int:
    if at == "minimum_minor":  # stands in two tables
        return line_with(source, "minimum_minor = 287")
    return line_with(source, at)


def test_several_mistakes_are_named_at_once() -> None:
    source = edited("suspend_after_days = 1", "suspend_after_days = 0").replace("version = 1", "version = 0")
    with pytest.raises(ConfigurationError) as refused:
        read_product(source, "mine.toml")
    assert len(str(refused.value).splitlines()) == 2


def test_values_of_a_wrong_kind_are_all_named_at_once() -> None:
    source = (
        edited("version = 1", 'version = "1"')
        .replace("tenor = 6,", "tenors = 6,", 1)
        .replace('remainder = "last"', 'remainder = "middle"')
        .replace("suspend_after_days = 1", "")
        .replace('"lottery"', '"lotery"')
    )
    examined = examine_product(source, "mine.toml")
    assert not isinstance(examined, Shipped)
    assert [(one.path, one.line) for one in examined] == [
        ("version", line_with(source, "version =")),
        ("instalments.remainder", line_with(source, "remainder =")),
        ("instalments.prices[1].tenors", line_with(source, "tenors = 6")),
        ("instalments.prices[1].tenor", line_with(source, "tenors = 6")),
        ("arrears.suspend_after_days", line_with(source, "[arrears]")),
        ("scenes.forbidden", line_with(source, "forbidden =")),
    ]


def test_a_table_that_is_missing_or_none_is_named() -> None:
    examined = examine_product("lenders = 3\ncycle = []\n", "mine.toml")
    assert not isinstance(examined, Shipped)
    said = [str(one) for one in examined]
    assert "mine.toml:1: lenders is wrong: expected `array`, got `int`" in said
    assert "mine.toml:2: cycle is wrong: expected `object`, got `array`" in said
    assert "mine.toml:1: repayment is missing" in said


def test_what_is_not_toml_says_where() -> None:
    with pytest.raises(ConfigurationError, match=r"mine.toml:3: is not TOML: .*line 3"):
        read_product("id = 'a'\n\n[cycle\n", "mine.toml")


def with_value(table: str, key: str, value: int) -> str:
    """The shipped file with a number of a table in the place of its own, or added."""
    source = SOURCE if f"[{table}]\n" in SOURCE else SOURCE.replace("[scenes]", f"[{table}]\n\n[scenes]")
    before, head, rest = source.partition(f"[{table}]\n")
    body, end, after = rest.partition("\n\n")
    lines = [line for line in body.split("\n") if not line.startswith(f"{key} = ")]
    return f"{before}{head}{key} = {value}\n" + "\n".join(lines) + end + after


FAR = [  # a table, a key of it, the first value that is too much: days that no date reaches, sums beyond the database
    ("due_days", "changes_a_year", 366),
    ("interest", "annualised_max_ppm", 10_000_001),
    ("interest", "annualised_max_ppm", -1),
    ("instalments", "minimum_minor", 10**14 + 1),
    ("arrears", "suspend_after_days", 3_651),
    ("arrears", "charge_off_after_days", 3_651),
    ("opening", "lines_max", 101),
    ("opening", "lines_max", 0),
]


@pytest.mark.parametrize("more", [0, 10**9, 10**15, 10**400], ids=["next", "9", "15", "400"])
@pytest.mark.parametrize(("table", "key", "value"), FAR)
def test_what_no_line_can_live_by_is_named_with_its_line(table: str, key: str, value: int, more: int) -> None:
    source = with_value(table, key, value + (more if value > 0 else -more))
    found = examine_product(source, "mine.toml")
    assert isinstance(found, list)
    (at,) = (one for one in found if one.path == f"{table}.{key}")
    assert source.split("\n")[at.line - 1].startswith(f"{key} = "), at


def test_the_furthest_days_may_be_offered() -> None:
    for table, key, value in (
        ("due_days", "changes_a_year", 365),
        ("instalments", "minimum_minor", 10**14),
        ("interest", "annualised_max_ppm", 10_000_000),
        ("arrears", "charge_off_after_days", 3_650),
        ("arrears", "suspend_after_days", 179),
        ("opening", "lines_max", 100),
    ):
        read_product(with_value(table, key, value), "mine.toml")


def test_a_step_of_the_waterfall_has_an_age_that_days_reach() -> None:
    for days in (3_651, 10**400):
        found = examine_product(edited("days_past_due = 91", f"days_past_due = {days}"), "mine.toml")
        assert isinstance(found, list)
        assert [one.path for one in found] == ["repayment.waterfall[1].days_past_due"], found
        assert found[0].line == line_with(SOURCE, "days_past_due = 91")
    read_product(edited("days_past_due = 91", "days_past_due = 3_650"), "mine.toml")


@pytest.mark.parametrize("key", ['""', '"."', '"a[b"', '"a.b."', '"[x]"', '"lenders[0]."', '"a\\nb"'])
@pytest.mark.parametrize("at", ["version = 1", "share_ppm = 1_000_000"])
def test_a_key_that_is_no_name_is_unknown_like_any_other(key: str, at: str) -> None:
    found = examine_product(edited(at, f"{at}\n{key} = 1"), "mine.toml")
    assert isinstance(found, list)
    assert any("is not known" in one.detail for one in found), found


@pytest.mark.parametrize(
    "source",
    ["a = " + "[" * 5_000 + "]" * 5_000, "a = " + "{a = " * 3_000 + "1" + "}" * 3_000, f"a = {'9' * 5_000}"],
)
def test_what_python_cannot_read_is_a_mistake(source: str) -> None:
    (found,) = examine_product(source, "mine.toml")  # type: ignore[misc]
    assert found.detail.startswith("has a number of too many digits, or lists in lists too deep")


def test_a_file_is_kept_byte_for_byte_whatever_wrote_it(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    written = "\ufeff" + shipped("monthly_bill").source.replace("\n", "\r\n")
    path.write_bytes(written.encode())
    (read,) = read_products([path])
    assert (read.source, read.product) == (written, shipped("monthly_bill").product)
    found = examine_product(written.replace("share_ppm = 1_000_000", "share = 1"), "mine.toml")
    assert isinstance(found, list)
    assert found[-1].line == line_with(written, "share_ppm = 1_000_000"), found


def test_what_is_no_text_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(b"id = 'a'\nname = '\xff'\n")
    with pytest.raises(ConfigurationError, match=r"mine.toml:2: is not UTF-8 text"):
        read_products([path])


def test_b5_a_price_above_the_ceiling_is_refused_with_its_rate() -> None:
    # 1.2 % a month over 12 months: 25.6 % a year, above 24 %.
    with pytest.raises(ConfigurationError, match=r"prices\[3\].fee_ppm costs 25.60% a year, above .* 24.00%"):
        read_product(edited("fee_ppm = 88_000", "fee_ppm = 144_000"), "mine.toml")
    # 1.0 % a month over 24 is 21.57 % and may be offered.
    read_product(
        edited("{ tenor = 12, fee_ppm = 88_000 }", "{ tenor = 24, fee_ppm = 240_000 }")
        .replace("tenor = 12", "tenor = 24")
        .replace("minimum_minor = 1_000", "minimum_minor = 2_000"),
        "mine.toml",
    )


def test_a_line_is_found_for_nested_fields() -> None:
    lines = lines_of_fields("a = 1\n[b]\nc = 2\n[[d]]\ne = 3\n[[d]]\ne = 4\n[[d.f]]\ng = 5\n")
    expected = {
        "a": 1,
        "b.c": 3,
        "d[0].e": 5,
        "d[1].e": 7,
        "d[1].x": 6,
        "d[1].f[0].g": 9,
        "d[0].f[0].g": 4,
        "z": 1,
    }
    assert {path: line_of(lines, path) for path in expected} == expected


def test_a_line_is_found_for_dotted_and_quoted_keys() -> None:
    lines = lines_of_fields("a = 1\n\nname.zh = ''\n[ b . c ]\n'd' . \"e f\" = 1\n\"x\\ty\" = 2\n")
    expected = {"name.zh": 3, "name.en": 3, "name": 3, "b.c.d.e f": 5, "b.c.d.z": 5, "b.c.x\ty": 4, "b": 1}
    assert {path: line_of(lines, path) for path in expected} == expected


@pytest.mark.parametrize("said", ["at line 999", f"at line {'9' * 5_000}", "(at line 9, column 9)"])
def test_the_line_of_what_is_no_toml_is_the_readers_own(said: str) -> None:
    (mistake,) = cast(list[Mistake], examine_product(f'{SOURCE}\n["{said}"]\n["{said}"]\n', "mine.toml"))
    assert mistake.line == len(SOURCE.splitlines()) + 3


@pytest.mark.parametrize("number", ["0x" + "F" * 5_000, str(2**63), str(-(10**400))])
def test_a_number_that_toml_does_not_have_is_named_with_its_line(number: str) -> None:
    for old, path in (
        ("bill_day = 1", "cycle.bill_day"),
        ("allowed = [8", "due_days.allowed"),
        ("tenor = 6", "instalments.prices[1].tenor"),
    ):
        source = edited(old, old.rstrip("168") + number)
        found = examine_product(source, "mine.toml")
        assert isinstance(found, list)
        assert [(one.path, one.line) for one in found] == [(path, line_with(SOURCE, old))]
        assert found[0].detail == "is wrong: a number of more than 64 bits"


def test_many_mistakes_are_placed_without_reading_the_file_again_for_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[str] = []
    monkeypatch.setattr(files, "_lines", lambda source: read.append(source) or source.split("\n"))
    source = "".join(f"k{n} = 1\n" for n in range(50)) + f'"{"." * 20_000}" = 1\n' + SOURCE
    found = cast(list[Mistake], examine_product(source, "mine.toml"))
    assert [one.line for one in found] == list(range(1, 52)) and len(read) == 1


def version(number: int, begins: str, **changes: str) -> Shipped:
    source = edited("version = 1", f"version = {number}").replace("2015-04-01", begins, 1)
    for old, new in changes.items():
        source = source.replace(old, new, 1)
    return read_product(source, "mine.toml")


def test_versions_begin_in_the_order_of_their_numbers() -> None:
    first, third = version(1, "2026-01-01"), version(3, "2026-03-01")
    kept = [first, third]
    assert check_succession(version(2, "2026-02-01"), kept) is None
    assert check_succession(version(4, "2026-03-02"), kept) is None
    assert check_succession(first, kept) is None, "the same again changes nothing"
    for begins, says in (
        ("2026-03-01", "must begin before version 3, which begins on 2026-03-01"),
        ("2026-01-01", "must begin after version 1, which begins on 2026-01-01"),
    ):
        why = check_succession(version(2, begins), kept)
        assert why is not None and says in why, why
    why = check_succession(version(1, "2026-01-01", lottery='lottery", "digital'), kept)
    assert why is not None and "has changed but still says version = 1" in why
    why = check_succession(version(4, "2026-04-01", CNY="JPY"), kept)
    assert why is not None and "version 1 is in CNY" in why
    assert check_succession(version(1, "2030-01-01", monthly_bill="another"), kept) is None


@pytest.mark.parametrize(
    ("id_", "highest_ppm"),
    [
        ("monthly_bill", 182_500),  # a day late costs more than any plan
        ("daily_interest", 219_000),
        ("order_instalments", 215_700),
        ("pay_in_four", 248_400),  # the merchant's, and under the ceiling all the same
        ("study_now", 134_685),
    ],
)
def test_the_highest_rate_of_what_ships(id_: str, highest_ppm: int) -> None:
    product = shipped(id_).product
    assert abs(highest_rate_ppm(product) - highest_ppm) < 100
    assert highest_rate_ppm(product) <= product.interest.annualised_max_ppm


LEAVES = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.integers(-2, 70),
    st.text(max_size=4),
    st.booleans(),
    st.none(),
    st.lists(st.integers(-1, 40), max_size=3),
    st.dictionaries(
        st.sampled_from(["days", "weeks", "months", "tenor", "x"]), st.integers(-5, 10**12), max_size=2
    ),
)


@given(
    st.sampled_from(["monthly_bill", "order_instalments", "study_now"]),
    st.randoms(use_true_random=False),
    LEAVES,
)
def test_whatever_stands_in_a_file_it_is_judged(id_: str, random: Any, leaf: Any) -> None:
    table = tomllib.loads(shipped(id_).source)
    place: Any = table
    while True:
        key = random.choice(list(place) if isinstance(place, dict) else range(len(place)))
        if not isinstance(place[key], dict | list) or not place[key] or random.random() < 0.2:
            break
        place = place[key]
    if leaf is None:
        del place[key]
    else:
        place[key] = leaf
    examined = examine_product(toml_of(table), "mine.toml")
    assert isinstance(examined, Shipped) or all(one.detail for one in examined)


def toml_of(value: Any, depth: int = 0) -> str:
    """A table as TOML: what is nested is written inline."""
    if isinstance(value, dict):
        pairs = [f"{key} = {toml_of(inner, depth + 1)}" for key, inner in value.items()]
        return "\n".join(pairs) if depth == 0 else "{ " + ", ".join(pairs) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(toml_of(inner, depth + 1) for inner in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + "".join(f"\\U{ord(char):08X}" for char in value) + '"'
    return str(value)
