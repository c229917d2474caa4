"""argon2id for PINs and passwords: slow on purpose, so never in a lane and never on the event loop.

A few threads of its own bound the memory and the processor time that guessing can take: each hash holds 19
MiB. Parameters: OWASP Password Storage Cheat Sheet (m = 19 MiB, t = 2, p = 1), about 20 ms.
"""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1, hash_len=32, salt_len=16)
_THREADS = ThreadPoolExecutor(max_workers=max(2, (os.cpu_count() or 2) // 2), thread_name_prefix="argon2")


async def hash_slowly(peppered: bytes) -> str:
    """The stored form of a PIN or password that the pepper has been through (`Vault.peppered`)."""
    return await asyncio.get_running_loop().run_in_executor(_THREADS, _HASHER.hash, peppered)


async def proves_slowly(stored: str, peppered: bytes) -> bool:
    """Whether that is what was hashed. A stored hash that cannot be read proves nothing."""
    return await asyncio.get_running_loop().run_in_executor(_THREADS, _verify, stored, peppered)


def _verify(stored: str, peppered: bytes) -> bool:
    try:
        return _HASHER.verify(stored, peppered)
    except (VerificationError, InvalidHashError):
        return False
