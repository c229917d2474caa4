"""Followers: the one way anything happens after a commit.

A follower reads a bucket's numbers above its cursor, acts, and moves the cursor in the same transaction:
an effect in our database happens once. Processes share the work; a cursor that another holds is left to it.
"""

from wufeng.base.followers.runner import Followers, FollowerSettings, Trouble
from wufeng.base.followers.steps import Follower, Stream, step
from wufeng.base.followers.store import Behind, EventRow, read_events

__all__ = [
    "Behind",
    "EventRow",
    "Follower",
    "FollowerSettings",
    "Followers",
    "Stream",
    "Trouble",
    "read_events",
    "step",
]
