"""What the world is told: the guides list every type of event, and no other."""

import re
from pathlib import Path

import pytest

from wufeng.payments.feed import EVENT_TYPES

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.parametrize(("guide", "head"), [("api.md", "Event types: "), ("api.zh-CN.md", "事件类型：")])
def test_the_guide_lists_every_type_of_event(guide: str, head: str) -> None:
    lines = (DOCS / guide).read_text(encoding="utf-8").splitlines()
    (listed,) = [line for line in lines if line.startswith(head)]
    types = re.findall(r"`([a-z_.]+)`", listed)
    assert len(types) == len(set(types))
    assert set(types) == EVENT_TYPES
