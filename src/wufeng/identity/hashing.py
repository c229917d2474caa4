"""argon2id for PINs and passwords: slow on purpose, so never in a lane and never on the event loop.

A few threads of its own bound the memory and the processor time that guessing can take: each hash holds 19
MiB. Parameters: OWASP Password Storage Cheat Sheet (m = 19 MiB, t = 2, p = 1), about 20 ms.
"""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from wufeng.base.errors import Code, Problem

T = TypeVar("T")

WAITING_MAX = 64
"""Hashes under way or waiting, about a second of work: guessing must not keep others waiting for ever."""


class _Threads:
    """The threads of this process that hash, and how many hashes they have before them."""

    def __init__(self) -> None:
        count = max(2, (os.cpu_count() or 2) // 2)
        self._pool = ThreadPoolExecutor(max_workers=count, thread_name_prefix="argon2")
        self.waiting = 0

    async def run(self, work: Callable[..., T], *arguments: object) -> T:
        self.waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work, *arguments)
        finally:
            self.waiting -= 1


HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1, hash_len=32, salt_len=16)
_THREADS = _Threads()


def refuse_when_busy() -> None:
    """Raise `overloaded` when too many hashes are waiting. To be asked before a try is taken."""
    if _THREADS.waiting >= WAITING_MAX:
        raise Problem(
            Code.OVERLOADED, "Too many proofs are being checked. Nothing was done.", retry_after_s=1
        )


async def hash_slowly(peppered: bytes) -> str:
    """The stored form of a PIN or password that the pepper has been through (`Vault.peppered`)."""
    return await _THREADS.run(HASHER.hash, peppered)


async def proves_slowly(stored: str, peppered: bytes) -> bool:
    """Whether that is what was hashed. A stored hash that cannot be read proves nothing."""
    return await _THREADS.run(_verify, stored, peppered)


async def run_slowly(work: Callable[..., T], *arguments: object) -> T:
    """Compute something that proves, such as a signature, on the same few threads: it waits its turn with hashes."""
    return await _THREADS.run(work, *arguments)


def _verify(stored: str, peppered: bytes) -> bool:
    try:
        return HASHER.verify(stored, peppered)
    except (VerificationError, InvalidHashError):
        return False
