"""Commands of one batch that speak of the same thing take turns: the second sees what the first did."""

from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import TypeVar

from wufeng.base.claims import Answer
from wufeng.base.errors import Problem

C = TypeVar("C")


async def in_turns(
    commands: Sequence[C],
    subject: Callable[[C], Hashable],
    handle: Callable[[Sequence[C]], Awaitable[Sequence[Answer | Problem]]],
) -> list[Answer | Problem]:
    """Handle commands in as many rounds as the busiest subject has commands; mostly one. Answers keep their order."""
    answers: dict[int, Answer | Problem] = {}
    waiting = list(range(len(commands)))
    while waiting:
        turn: dict[Hashable, int] = {}
        for n in waiting:
            turn.setdefault(subject(commands[n]), n)
        now = list(turn.values())
        taken = set(now)
        waiting = [n for n in waiting if n not in taken]
        answers.update(zip(now, await handle([commands[n] for n in now]), strict=True))
    return [answers[n] for n in range(len(commands))]
