"""The demo's stories: each plays on a book of its own, over HTTP, by calls that anybody could make.

To add one: a module here that exports `STORY`, and its line in `STORIES`. Its people come from `actors`.
"""

import importlib
from collections.abc import Sequence

from wufeng.base.errors import ConfigurationError
from wufeng.cli.stories.stage import Ending, Stage, Story, Tell, Way

STORIES = {
    "credit": "wufeng.cli.stories.credit",
    "counter": "wufeng.cli.stories.counter",
    "online": "wufeng.cli.stories.online",
    "family": "wufeng.cli.stories.family",
    "rides": "wufeng.cli.stories.rides",
    "lost-phone": "wufeng.cli.stories.lost_phone",
}
"""The stories by name, in the order of `wufeng demo --list-stories`."""


def find_stories(names: Sequence[str]) -> list[Story]:
    """Stories by name, in the order asked. Raises ConfigurationError for an unknown name."""
    unknown = [name for name in names if name not in STORIES]
    if unknown:
        raise ConfigurationError(f"there is no story {', '.join(unknown)}; there are {', '.join(STORIES)}")
    return [_load(name) for name in names]


def _load(name: str) -> Story:
    story: Story = importlib.import_module(STORIES[name]).STORY
    assert story.name == name, f"{STORIES[name]} holds {story.name}"
    return story


__all__ = ["STORIES", "Ending", "Stage", "Story", "Tell", "Way", "find_stories"]
