"""`wufeng init`, and `migrate` on what it made."""

import stat

from tests.cli.conftest import Installation, Wufeng


def test_everything_is_made_and_shown_once(installation: Installation) -> None:
    made = installation.made
    assert made["books"] == ["test"]
    assert made["platform_keys"]["test"].startswith("wf_test_")
    assert (made["staff_login"], len(made["staff_password"])) == ("admin", 20)
    assert stat.S_IMODE((installation.data_dir / "secrets.json").stat().st_mode) == 0o600


def test_twice_changes_nothing_and_shows_nothing(installation: Installation) -> None:
    secrets = (installation.data_dir / "secrets.json").read_bytes()
    again = installation.wufeng("init", "--json").json
    assert (again["books"], again["platform_keys"], again["staff_password"]) == ([], {}, None)
    assert (installation.data_dir / "secrets.json").read_bytes() == secrets
    assert "nothing was changed" in installation.wufeng("init").out


def test_a_live_book_comes_later(installation: Installation) -> None:
    made = installation.wufeng("init", "--live-book", "main", "--json").json
    assert made["books"] == ["main"]
    assert list(made["platform_keys"]) == ["main"]
    assert made["platform_keys"]["main"].startswith("wf_live_")
    assert made["staff_password"] is None


def test_a_book_must_be_named_where_there_are_two(installation: Installation) -> None:
    ran = installation.wufeng("ledger", "trial-balance")
    assert ran.code == 2
    assert "say which book with --book; there are: main, test" in ran.err
    assert installation.wufeng("ledger", "trial-balance", "--book", "test").code == 0
    assert "There is no book 'x'" in installation.wufeng("ledger", "trial-balance", "--book", "x").err


def test_migrate_has_nothing_to_do(installation: Installation) -> None:
    assert installation.process("migrate", "--json").json == {"applied": []}


def test_what_no_book_can_have(wufeng: Wufeng) -> None:
    for option, value in (("--currency", "XXX"), ("--time-zone", "Mars/Olympus"), ("--cut-off", "25:00")):
        ran = wufeng("init", option, value)
        assert ran.code == 2, (option, ran.out)
        assert value in ran.err
