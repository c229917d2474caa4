"""Drawing a document beside the event loop. The library takes half a second to load, so the first one loads it."""

import asyncio

from wufeng.credit.documents.model import Document


async def drawn(document: Document) -> bytes:
    """The document as PDF."""
    return await asyncio.to_thread(_draw, document)


def _draw(document: Document) -> bytes:
    from wufeng.credit.documents.pdf import (
        render,
    )  # it takes half a second to load, and most processes draw nothing

    return render(document)
