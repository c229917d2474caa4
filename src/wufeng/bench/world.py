"""The world of a benchmark: a book of its own, people with lines and sessions, a few hot merchants."""

import asyncio
import random
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from uuid import UUID

import msgspec
from msgspec import Struct

from wufeng.base.books import Book
from wufeng.base.claims import claim_key
from wufeng.base.database import Database
from wufeng.base.ids import Prefix, decode, encode, slot_of
from wufeng.base.lanes import Lanes
from wufeng.credit import OpenLine
from wufeng.identity import CreatePerson, Vault
from wufeng.identity.merchants.commands import create_merchant
from wufeng.identity.merchants.model import FeePlan, Scene
from wufeng.identity.sessions.commands import open_session
from wufeng.identity.vault import Private
from wufeng.payments import Capture, Funding, OrderTerms, Pay, Reader, Receipt, order_id
from wufeng.risk.model import Confirmation

MERCHANTS = 20
LIMIT_MINOR = 5_000_000
CHUNK = 512
AMOUNTS_MINOR = (100, 1_900)  # under the policy's no-PIN limit
ZIPF = 1.1


class Payer(Struct, frozen=True):
    """A person of the benchmark with a line and a live session."""

    id: UUID
    line_id: UUID
    bucket: int
    token: str


class Parts(Struct, frozen=True, kw_only=True):
    """What a benchmark needs of an engine in this process."""

    database: Database
    lanes: Lanes
    vault: Vault
    book: Book
    now: Callable[[], datetime]


class World:
    """People and merchants, and an endless supply of payments that nobody has made before."""

    def __init__(self, payers: list[Payer], merchants: list[UUID], seed: int = 7) -> None:
        self.payers = payers
        self.merchants = merchants
        self._rng = random.Random(seed)
        self._weights = [1 / (place + 1) ** ZIPF for place in range(len(merchants))]
        self._number = 0

    def command(self, parts: Parts) -> tuple[int, Pay]:
        """The next payment: another person, a hot merchant, a small amount; as the route would submit it."""
        self._number += 1
        payer = self.payers[self._number % len(self.payers)]
        merchant_id, amount_minor, number = (
            self._merchant(),
            self._rng.randint(*AMOUNTS_MINOR),
            f"E-{self._number}",
        )
        at = parts.now()
        order = OrderTerms(
            id=order_id(merchant_id, number, payer.id),
            merchant_id=merchant_id,
            order_no=number,
            amount_minor=amount_minor,
            currency=parts.book.currency,
            subject="Bench",
            scene=Scene.RETAIL,
            receipt=Receipt.NONE,
        )
        body: dict[str, object] = {
            "order": {
                "order_no": number,
                "amount_minor": amount_minor,
                "currency": "CNY",
                "subject": "Bench",
            },
            "funding": [{"line": str(payer.line_id), "tenor": 1}],
            "capture": "now",
        }
        return payer.bucket, Pay(
            at=at,
            people=(payer.id,),
            claim=claim_key(parts.vault.claim_pepper, payer.id, number, "POST /v1/payments", body),
            payment_id=parts.lanes.ids.new(at, slot_of(payer.id)),
            order=order,
            payer_id=payer.id,
            funding=Funding(use_wallet=False, line_id=payer.line_id),
            capture=Capture.NOW,
            confirmation=Confirmation.SESSION,
            caller_id=payer.id,
            reader=Reader.PERSON,
            language="zh",
        )

    def write_requests(self, file: Path) -> None:
        """The bodies of HTTP payments, one a line with its Authorization; @ stands for the order's number."""
        with file.open("wb") as out:
            for payer in self.payers:
                body = {
                    "order": {
                        "order_no": "@",
                        "amount_minor": self._rng.randint(*AMOUNTS_MINOR),
                        "currency": "CNY",
                        "subject": "Bench",
                        "merchant": encode(Prefix.MERCHANT, self._merchant()),
                    },
                    "funding": [{"line": encode(Prefix.LINE, payer.line_id)}],
                }
                text = msgspec.json.encode(body).decode()
                out.write(msgspec.json.encode((f"Bearer {payer.token}", text)) + b"\n")

    def _merchant(self) -> UUID:
        return self._rng.choices(self.merchants, self._weights)[0]


async def make_world(parts: Parts, people: int) -> World:
    """Make everybody, through the same commands as anybody."""
    at = parts.now()
    merchants = []
    for n in range(MERCHANTS):
        merchant, _ = await create_merchant(
            parts.database, parts.lanes.ids, parts.book, f"Shop {n}", Scene.RETAIL, FeePlan(6_000), at
        )
        merchants.append(merchant.id)
    payers: list[Payer] = []
    for start in range(0, people, CHUNK):
        payers += await asyncio.gather(
            *(_payer(parts, n, at) for n in range(start, min(start + CHUNK, people)))
        )
    return World(payers, merchants)


async def _payer(parts: Parts, number: int, at: datetime) -> Payer:
    book, lanes = parts.book, parts.lanes
    person_id = lanes.ids.new_anywhere(at)
    bucket = book.bucket_of(person_id)
    await lanes.submit(bucket, CreatePerson(at=at, person_id=person_id, phone=Private(f"+86171{number:08d}")))
    opened = await lanes.submit(
        bucket,
        OpenLine(
            at=at,
            people=(person_id,),
            person_id=person_id,
            product="monthly_bill",
            limit_minor=LIMIT_MINOR,
            staff_id=person_id,
            reason="bench",
        ),
    )
    async with parts.database.transaction() as db:
        session = await open_session(db, lanes.ids, book, person_id, "bench", at)
    line_id = decode(Prefix.LINE, msgspec.json.decode(opened.body)["id"])
    return Payer(person_id, line_id, bucket, session.token)
