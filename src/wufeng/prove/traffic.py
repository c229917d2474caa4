"""What the clients do all day: pay on credit or from the wallet, authorise and capture or void, give back."""

import asyncio
import random
import time
from collections.abc import Callable

from msgspec import Struct

from wufeng.prove.fleet import Definite, Fleet, Intent
from wufeng.prove.town import Payer, Shop, Town

CAPTURED = "captured"


class Ways(Struct, frozen=True):
    """How a client chooses, in percent; the rest are plain payments on credit."""

    wallet: int = 15
    authorised: int = 15
    refunded: int = 10


class Clients:
    """The clients of one proof. They go on until they are told to stop, each with its own chance."""

    def __init__(self, fleet: Fleet, town: Town, name: str, seed: int, ways: Ways = Ways()) -> None:  # noqa: B008
        self._fleet = fleet
        self._town = town
        self._name = name
        self._seed = seed
        self._ways = ways
        self._stopping = asyncio.Event()
        self._made = 0

    def stop(self) -> None:
        """Let each finish what it has begun."""
        self._stopping.set()

    async def run(self, count: int, within_s: float, payments_max: int) -> None:
        """`count` clients at a time, until stopped, or for so long, or for so many payments."""
        end_s = time.monotonic() + within_s

        def go_on() -> bool:
            return not self._stopping.is_set() and time.monotonic() < end_s and self._made < payments_max

        async with asyncio.TaskGroup() as group:
            for number in range(count):
                group.create_task(self._client(number, go_on))

    async def _client(self, number: int, go_on: Callable[[], bool]) -> None:
        rng = random.Random(f"{self._seed} {number}")
        payers = self._town.payers[number :: max(1, len(self._town.payers) // 2)] or self._town.payers
        while go_on():
            self._made += 1
            payer, shop = rng.choice(payers), rng.choice(self._town.shops)
            name = f"{self._name}-{number}-{self._made}"
            await self._one(name, payer, shop, rng)

    async def _one(self, name: str, payer: Payer, shop: Shop, rng: random.Random) -> None:
        chance = rng.randrange(100)
        amount_minor = rng.choice((1, 99, 1_00, rng.randrange(1, 20_00)))
        if chance < self._ways.authorised:
            payment = await self._fleet.ask(pay(name, payer, shop, amount_minor, capture="later"))
            if payment is not None and payment.status == 201:
                await self._fleet.ask(_end(name, shop, payment, amount_minor, rng))
            return
        wallet = chance < self._ways.authorised + self._ways.wallet
        payment = await self._fleet.ask(pay(name, payer, shop, amount_minor, wallet=wallet))
        is_refunded = rng.randrange(100) < self._ways.refunded
        if is_refunded and payment is not None and payment.status == 201:
            part_minor = rng.randrange(1, amount_minor + 1)
            await self._fleet.ask(refund(f"{name}-r", shop, str(payment.view()["id"]), part_minor))


def _end(name: str, shop: Shop, payment: Definite, amount_minor: int, rng: random.Random) -> Intent:
    id_ = str(payment.view()["id"])
    if rng.random() < 0.3:
        return void(f"{name}-v", shop, id_)
    return capture(f"{name}-c", shop, id_, rng.randrange(1, amount_minor + 1))


def pay(
    name: str, payer: Payer, shop: Shop, amount_minor: int, *, capture: str = "now", wallet: bool = False
) -> Intent:
    """A person pays a shop; `name` is the order's number and the key."""
    source: dict[str, object] = {"wallet": payer.wallet} if wallet else {"line": payer.line}
    order = {
        "order_no": name,
        "merchant": shop.name,
        "amount_minor": amount_minor,
        "currency": "CNY",
        "subject": "goods",
    }
    body: dict[str, object] = {"order": order, "funding": [source], "capture": capture}
    return Intent(key=f"k-{name}", caller=payer.caller, path="/v1/payments", body=body, order_no=name)


def capture(name: str, shop: Shop, payment: str, amount_minor: int) -> Intent:
    """A shop takes a part of what is authorised and lets the rest go."""
    body: dict[str, object] = {"amount_minor": amount_minor, "final": True}
    return Intent(key=f"k-{name}", caller=shop.caller, path=f"/v1/payments/{payment}/capture", body=body)


def void(name: str, shop: Shop, payment: str) -> Intent:
    """A shop lets go of what is authorised."""
    return Intent(key=f"k-{name}", caller=shop.caller, path=f"/v1/payments/{payment}/void", body={})


def refund(name: str, shop: Shop, payment: str, amount_minor: int) -> Intent:
    """A shop gives money back."""
    body: dict[str, object] = {
        "payment": payment,
        "refund_no": name,
        "amount_minor": amount_minor,
        "reason": "returned",
    }
    return Intent(key=f"k-{name}", caller=shop.caller, path="/v1/refunds", body=body, refund_no=name)
