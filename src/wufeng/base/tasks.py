"""How background tasks end."""

import asyncio
from collections.abc import Collection


async def end_tasks(tasks: Collection[asyncio.Task[None]], grace_s: float) -> None:
    """Wait for tasks that were told to stop; those that take longer are cancelled. Their errors are not raised."""
    if tasks:
        _, late = await asyncio.wait(tasks, timeout=grace_s)
        for task in late:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
