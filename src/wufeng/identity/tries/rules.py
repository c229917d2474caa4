"""What is decided about tries."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from wufeng.base.errors import Code, Problem
from wufeng.identity.tries.model import Counter, Taken


def decide_try(counters: Sequence[Counter], taken: Mapping[UUID, Taken], at: datetime) -> Problem | None:
    """Whether a try that has been counted may be made; None says yes. The longest wait is told, never which count it
    was.
    """
    over = [taken[one.id] for one in counters if taken[one.id].taken > one.limit.most]
    if not over:
        return None
    wait_s = max(1, max(math.ceil((one.ends_at - at).total_seconds()) for one in over))
    return Problem(Code.RATE_LIMITED, "Too many tries. Wait before the next.", retry_after_s=wait_s)
