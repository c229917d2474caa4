"""The demo, as a newcomer starts it: each story over HTTP, twice in one place, with its port taken."""

import socket
from pathlib import Path

from wufeng.cli.stories import STORIES, find_stories

from .conftest import Wufeng, run_wufeng

FIRST = "credit"


def test_the_story_is_told_and_can_be_told_again(tmp_path: Path) -> None:
    data_dir = tmp_path / "de mo"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        first = run_wufeng(data_dir, "demo", "--exit", "--port", port)
    assert first.code == 0, first.out + first.err
    assert f"Port {port} is taken" in first.out
    for words in (
        "requires_action: a merchant's word moves no money",
        "captured: 1,000.00 lent by Wufeng Consumer Finance",
        "128.00 posted",
        "a bill of 1,000.00, due 2026-10-10",
        "501.25, of it 1.25 interest: 500.00 × 0.05% × 5 days",
        "paid: 1,001.25 paid of 1,001.25",
        "1,000.00 posted, of it 0.00 interest",
        "1,002.80, of it 2.80 interest",
        "216.00: 10% of 2,000.00 and 16.00 interest",
        "owes to the fen what the one owed who was in time",
        "442.09 on 2026-11-30, 442.09 on 2026-12-31, 442.09 on 2027-01-31",
        "433.00, 9.09 of fees saved",
        "443.83: instalments 433.00, instalment_fees 10.83",
        "/docs",
    ):
        assert words in first.out, first.out
    again = run_wufeng(data_dir, "demo", "--exit", "--port", "0", *every_story(), CI="1")
    assert again.code == 0, again.out + again.err
    assert "this start's books are demo-2" in again.out
    for name in STORIES:
        assert f"{name}: " in again.out or name == FIRST
    proof = run_wufeng(data_dir, "ledger", "verify", "--json")
    assert proof.code == 0, proof.out
    assert proof.json["breaks"] == []


def every_story() -> list[str]:
    """The other stories, once each: the first has just been played."""
    return [word for name in STORIES if name != FIRST for word in ("--story", name)]


def test_stories_are_listed_by_name(wufeng: Wufeng) -> None:
    listed = wufeng("demo", "--list-stories", COLUMNS="400")
    assert listed.code == 0
    for story in find_stories(list(STORIES)):
        assert f"{story.name} " in listed.out and story.description in listed.out


def test_an_unknown_story_is_refused_before_anything_is_made(wufeng: Wufeng) -> None:
    refused = wufeng("demo", "--story", "nowhere")
    assert refused.code == 2
    assert f"there is no story nowhere; there are {FIRST}" in refused.err
