"""`wufeng product`: from an empty file to a product that a running installation offers."""

from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path

import pytest

from .conftest import Installation, Wufeng

SHIPPED = files("wufeng.catalogue") / "products"


def written(folder: Path, id_: str = "monthly_bill", **changes: str) -> Path:
    source = (SHIPPED / f"{id_}.toml").read_text(encoding="utf-8")
    for old, new in changes.items():
        assert old in source, old
        source = source.replace(old, new, 1)
    path = folder / "mine.toml"
    path.write_text(source, encoding="utf-8")
    return path


def test_check_says_what_a_product_is(wufeng: Wufeng, tmp_path: Path) -> None:
    ran = wufeng("product", "check", str(written(tmp_path)))
    assert (ran.code, ran.err) == (0, "")
    for words in (
        "monthly_bill@1 may be offered",
        "18.25% a year, under its ceiling of 24.00%",
        "500.00 to 50,000.00",
        "on day 1, due on day 10",
        "thirty_360, interest rounded half_even",
    ):
        assert words in ran.out
    found = wufeng("product", "check", str(tmp_path / "mine.toml"), "--json").json
    assert (found[0]["highest_annualised_ppm"], found[0]["mistakes"]) == (182_500, [])


def test_check_names_every_mistake_with_its_place(wufeng: Wufeng, tmp_path: Path) -> None:
    path = written(tmp_path, **{"version = 1": "version = 0", "fee_ppm = 88_000": "fee_ppm = 144_000"})
    ran = wufeng("product", "check", str(path))
    assert ran.code == 1
    first, second = ran.out.splitlines()
    assert first == f"{path}:5: version counts from 1 to 1000000 at most"
    assert second.startswith(
        f"{path}:38: instalments.prices[3].fee_ppm costs 25.60% a year, above the ceiling of 24.00%"
    )
    asked = wufeng("product", "check", str(path), "--json")
    assert (asked.code, asked.json[0]["mistakes"][0]["line"]) == (1, 5)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("check", "nowhere.toml"), "nowhere.toml cannot be read"),
        (("preview", "nothing", "--amount", "1"), "there is no product nothing"),
        (("preview", "monthly_bill", "--amount", "1.001"), "CNY has 2 decimal places"),
        (("preview", "monthly_bill", "--amount", "50000.01"), "not above the product's highest limit"),
        (("preview", "monthly_bill", "--amount", "100", "--tenor", "5"), "it has: 1, 3, 6, 9, 12"),
        (("preview", "monthly_bill", "--amount", "9", "--tenor", "3"), "instalments begin at 10.00"),
        (("preview", "monthly_bill", "--amount", "100", "--mode", "order"), "monthly_bill has: bill"),
        (("preview", "monthly_bill", "--amount", "100", "--merchant-share", "101%"), "no share such as 50%"),
        (("preview", "monthly_bill", "--amount", "100", "--merchant-share", "nan%"), "no share such as 50%"),
        (
            ("preview", "monthly_bill", "--amount", "100", "--merchant-share", "1e999999999"),
            "no share such as",
        ),
        (("show", "a" * 300), "there is no product a"),
        (("publish", str(SHIPPED / "study_now.toml")), "there is no installation"),
    ],
)
def test_what_cannot_be_done(wufeng: Wufeng, words: tuple[str, ...], says: str) -> None:
    ran = wufeng("product", *words)
    assert ran.code == 2
    assert says in " ".join(ran.err.replace("│", " ").split()), ran.err


def test_preview_shows_the_schedule_and_every_rate(wufeng: Wufeng) -> None:
    words = ("product", "preview", "monthly_bill", "--amount", "1,299.00", "--on", "2026-09-03")
    ran = wufeng(*words, "--tenor", "3")
    for figure in ("2026-10-10", "443.83", "443.82", "32.48", "14.94%", "16.01%", "6.50"):
        assert figure in ran.out, ran.out
    assert "22,624" not in ran.out
    beside = wufeng(*words, "--merchant-share", "100%", "--json").json
    assert [one["tenor"] for one in beside["schedules"]] == [1, 3, 6, 9, 12]
    assert [one["total_cost_minor"] for one in beside["schedules"]] == [0, 0, 0, 0, 0]
    assert [one["merchant_cost_minor"] for one in beside["schedules"]] == [0, 3_248, 5_846, 8_444, 11_431]


def test_preview_shows_a_price_list_beside_the_standard_one(wufeng: Wufeng) -> None:
    words = ("product", "preview", "monthly_bill", "--amount", "1299", "--on", "2026-09-03", "--tenor", "3")
    ran = wufeng(*words, "--tier", "preferred")
    for figure in ("441.66", "25.98", "11.96%"):
        assert figure in ran.out, ran.out
    refused = wufeng(*words, "--tier", "platinum")
    assert refused.code == 2 and "monthly_bill has: standard, preferred" in refused.err


def test_preview_knows_both_modes(wufeng: Wufeng) -> None:
    words = (
        "product",
        "preview",
        "order_instalments",
        "--amount",
        "100",
        "--on",
        "2026-01-31",
        "--tenor",
        "3",
        "--json",
    )
    order, bill = wufeng(*words).json, wufeng(*words, "--mode", "bill").json
    dues = [[row["due_on"] for row in one["schedules"][0]["rows"]] for one in (order, bill)]
    assert dues == [["2026-02-28", "2026-03-31", "2026-04-30"], ["2026-03-09", "2026-04-09", "2026-05-09"]]


def test_list_and_show_without_an_installation(wufeng: Wufeng) -> None:
    listed = wufeng("product", "list", "--json").json
    assert [one["product"] for one in listed] == [
        "daily_interest", "monthly_bill", "order_instalments", "pay_in_four", "study_now"
    ]  # fmt: skip
    assert "order_instalments@3" in wufeng("product", "list").out
    assert wufeng("product", "show", "pay_in_four").out == (SHIPPED / "pay_in_four.toml").read_text(
        encoding="utf-8"
    )


def test_a_version_is_published_once_and_never_changes(installation: Installation, tmp_path: Path) -> None:
    tomorrow = str((datetime.now(UTC) + timedelta(days=2)).date())

    def publish(**changes: str) -> tuple[int, str]:
        ran = installation.wufeng("product", "publish", str(written(tmp_path, **changes)))
        return ran.code, " ".join((ran.out + ran.err).split())

    second = {"version = 1": "version = 2", "2015-04-01": tomorrow, "fee_ppm = 25_000": "fee_ppm = 30_000"}
    assert publish() == (0, "monthly_bill@1 was there already; nothing was changed.")
    assert publish(**second) == (
        0,
        f"Published monthly_bill@2, which begins on {tomorrow}. Servers that run offer it within a minute.",
    )
    assert publish(**second) == (0, "monthly_bill@2 was there already; nothing was changed.")
    code, said = publish(**second | {"fee_ppm = 45_000": "fee_ppm = 46_000"})
    assert (code, "has changed but still says version = 2" in said) == (2, True)
    code, said = publish(**second | {"version = 1": "version = 3"})
    assert (code, f"version 3 must begin after version 2, which begins on {tomorrow}" in said) == (2, True)
    code, said = publish(**second | {"version = 1": "version = 3", "2015-04-01": "2026-01-01"})
    assert (code, "it begins tomorrow at the earliest, not on 2026-01-01" in said) == (2, True)
    code, said = publish(**second | {"version = 1": "version = 4", "fee_ppm = 88_000": "fee_ppm = 144_000"})
    assert (code, "above the ceiling" in said) == (1, True)
    listed = installation.process("product", "list", "--json").json
    assert [(one["version"], one["shipped"]) for one in listed if one["product"] == "monthly_bill"] == [
        (1, True),
        (2, False),
    ]
    assert "fee_ppm = 30_000" in installation.wufeng("product", "show", "monthly_bill").out
    assert "fee_ppm = 25_000" in installation.wufeng("product", "show", "monthly_bill@1").out
