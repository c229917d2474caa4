"""Policy files: what is refused, with the file and the field; versions that are kept."""

from datetime import UTC, datetime

import pytest

from wufeng.base.database import Connection
from wufeng.base.errors import ConfigurationError
from wufeng.risk.policy import Policies, publish, read_policy, shipped_policy

NOON = datetime(2026, 9, 3, 4, tzinfo=UTC)
SOURCE = shipped_policy().source


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("version = 2", 'version = "1"', "policy.version"),
        ("version = 2", "version = 0", "counts from 1"),
        ("2026-01-01T00:00:00+08:00", "2026-01-01T00:00:00", "time zone"),
        ("[no_pin]", "[no_pin]\nweek_max_minor = 1", "week_max_minor"),
        ("payment_max_minor = 200_00", "payment_max_minor = -1", "not negative"),
        ("payment_max_minor = 200_00", "", "payment_max_minor"),
        ('id = "V001"', 'id = "V002"', "V002 stands there twice"),
        ('then = "step_up"', 'then = "ask"', "V001: then = 'ask'"),
        ('then = "step_up"', 'then = "allow"', "V001: then = 'allow'"),
        ("window_s = 600", "window_s = 0", "V001: window_s"),
        ("window_s = 600", "window_s = 86_401", "V001: window_s"),
        ("over = 25", "over = 32", "V002: over must be 1..31"),
        ('measure = "count"', 'measure = "mean"', "measure"),
        ("minutes = 30", "minutes = 0", "review needs minutes"),
        ('on_timeout = "decline"', 'on_timeout = "wait"', "on_timeout"),
        ('reason = "suspected_cash_out"', 'reason = "because"', "reason"),
        ("[limits]", "[limits", "policy.toml"),
    ],
)
def test_what_a_policy_file_may_not_say(old: str, new: str, says: str) -> None:
    assert old in SOURCE
    with pytest.raises(ConfigurationError) as refused:
        read_policy(SOURCE.replace(old, new, 1), "policy.toml")
    assert "policy.toml" in str(refused.value) and says in str(refused.value)


async def test_every_version_is_kept_and_none_is_changed(db: Connection) -> None:
    first = shipped_policy()
    later = SOURCE.replace("version = 2", "version = 3").replace("2026-01-01", "2026-10-01")
    second = read_policy(later, "policy.toml")
    kept = await publish(db, [first], NOON)
    assert await publish(db, [first, second], NOON) != kept
    kept = await publish(db, [], NOON)
    assert list(kept) == [("payment", 2), ("payment", 3)]
    assert kept.in_force("main", NOON) == first.policy, "the second is not in force yet"
    assert kept.in_force("main", datetime(2026, 10, 1, 4, tzinfo=UTC)) == second.policy
    assert kept.in_force("main", datetime(2025, 1, 1, tzinfo=UTC)) is None
    changed = read_policy(SOURCE.replace("over = 25", "over = 26"), "policy.toml")
    with pytest.raises(ConfigurationError, match="give the new one a new version"):
        await publish(db, [changed], NOON)


def test_the_closest_pattern_of_books_decides() -> None:
    every = shipped_policy().policy
    close = read_policy(
        SOURCE.replace('id = "payment"', 'id = "shops"\nbooks = "shop-*"'), "policy.toml"
    ).policy
    both = Policies([every, close])
    assert both.in_force("shop-1", NOON) == close
    assert both.in_force("main", NOON) == every
