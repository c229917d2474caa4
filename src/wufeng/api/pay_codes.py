"""Pay codes: a person asks for one to show, a till pays with the one that it has scanned."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta, Struct

from wufeng import credit
from wufeng.api.bodies import LineId, WalletId
from wufeng.api.routing import Call, Nothing, Route, reply, stored_answer
from wufeng.base.claims import Answer
from wufeng.base.errors import Code, Problem, invalid_field
from wufeng.base.ids import Prefix, decode, encode
from wufeng.identity import CallerKind
from wufeng.identity.people.queries import person_of_wallet
from wufeng.identity.places import counted_as
from wufeng.payments import Funding
from wufeng.payments.pay_codes.commands import issue_code, stop_codes
from wufeng.payments.pay_codes.model import Enrolled, Issued, Resolved
from wufeng.payments.pay_codes.resolving import Shown

PayCode = Annotated[
    str,
    Meta(
        pattern="^38[0-9]{16}$",
        description="what the payer's phone shows; it is never stored",
        examples=["381000000000000000"],
    ),
]


class PayCodeSource(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What this device's codes pay with: the person's wallet, or a line with its months."""

    wallet: WalletId | None = None
    line: LineId | None = None
    tenor: Annotated[int, Meta(ge=1, le=60)] = 1


class CreatePayCode(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A code to show. Without `funding` it pays with what was chosen before, at first the wallet.

    enrol  the phone also wants to make codes by itself: it is told a handle and a secret, once
    """

    funding: Annotated[tuple[PayCodeSource, ...], Meta(min_length=1, max_length=2)] | None = None
    enrol: bool = False


class PayCodeSourceView(Struct, frozen=True, kw_only=True):
    """One source that the codes of a device pay with, in order."""

    kind: Literal["wallet", "line"]
    line: str | None = None
    tenor: int = 1


class PayCodeView(Struct, frozen=True, kw_only=True):
    """A code just made. `offline` only where enrolment was asked for, once."""

    id: str
    object: Literal["pay_code"] = "pay_code"
    created_at: datetime
    code: str
    expires_at: datetime
    funding: tuple[PayCodeSourceView, ...]
    offline: Enrolled | None = None

    def __repr__(self) -> str:
        return f"PayCodeView({self.id})"


class PayCodesStopped(Struct, frozen=True, kw_only=True):
    """All codes of a device made until then are dead."""

    id: str
    object: Literal["device"] = "device"
    stopped_at: datetime


async def create_pay_code(call: Call[CreatePayCode, Nothing]) -> Answer:
    """Make a code that pays once within two minutes."""
    body, services = call.body, call.services
    person_id, device_id = _device(call)
    funding = await _chosen(call, person_id, body.funding) if body.funding is not None else None
    issued = await issue_code(
        services.database, services.vault, call.book, person_id, device_id, funding, call.at, enrol=body.enrol
    )
    return reply(_view(issued), 201)


async def stop_pay_codes(call: Call[Nothing, Nothing]) -> Answer:
    """End the codes of the device that asks."""
    person_id, device_id = _device(call)
    await stop_codes(call.services.database, call.book, person_id, device_id, call.at)
    return reply(PayCodesStopped(id=encode(Prefix.DEVICE, device_id), stopped_at=call.at))


def refuse_beside_code(call: Call[Any, Any]) -> None:
    """Refuse what nobody may say beside a pay code (invalid_field): who pays, and from what, is the code's to say."""
    if call.caller.kind is not CallerKind.MERCHANT or call.caller.merchant_id is None:
        raise invalid_field("/pay_code", "A code is scanned at a till: it takes a key of the merchant's.")
    for name in ("payer", "funding", "quote_option", "confirmation"):
        if getattr(call.body, name) is not None:
            raise invalid_field(f"/{name}", "The pay code says it: leave it out.")


async def read_shown(call: Call[Any, Any]) -> Resolved | Answer:
    """Whose code a till has scanned; or the stored answer of a request that comes again, whose code is used up.

    A code that is not accepted is confirmation_failed, the same for every reason.
    """
    assert call.caller.merchant_id is not None, "refuse_beside_code comes before"
    shown = Shown(call.body.pay_code, call.caller.merchant_id, counted_as(call.client))
    return await call.services.pay_codes.resolve(call.book, shown, call.at, lambda: stored_answer(call))


def _device(call: Call[Any, Any]) -> tuple[UUID, UUID]:
    """The person and the device that they are signed in on."""
    person_id, device_id = call.caller.person_id, call.caller.device_id
    assert person_id is not None, "only people have pay codes"
    if device_id is None:
        raise Problem(Code.FORBIDDEN, "This session is on no device: sign in again.")
    return person_id, device_id


async def _chosen(
    call: Call[CreatePayCode, Nothing], person_id: UUID, sources: Sequence[PayCodeSource]
) -> Funding:
    """What the codes are to pay with. The wallet and the line must be the person's own."""
    wallets = [decode(Prefix.WALLET, source.wallet) for source in sources if source.wallet is not None]
    lines = [
        (decode(Prefix.LINE, source.line), source.tenor) for source in sources if source.line is not None
    ]
    if len(wallets) > 1 or len(lines) > 1 or len(wallets) + len(lines) != len(sources):
        raise invalid_field("/funding", "Each source is one wallet or one line, at most one of each.")
    bucket = call.book.bucket_of(person_id)
    async with call.services.database.read() as db:
        if wallets and await person_of_wallet(db, call.book, wallets[0]) != person_id:
            raise invalid_field("/funding", "You have no such wallet.")
        own = await credit.load_lines_of_people(db, bucket, [person_id]) if lines else []
    line_id, tenor = lines[0] if lines else (None, 1)
    if line_id is not None and all(line.id != line_id for line in own):
        raise invalid_field("/funding", "You have no such line.")
    return Funding(use_wallet=bool(wallets), line_id=line_id, tenor=tenor)


def _view(issued: Issued) -> PayCodeView:
    funding, sources = issued.funding, []
    if funding.use_wallet:
        sources.append(PayCodeSourceView(kind="wallet"))
    if funding.line_id is not None:
        line = encode(Prefix.LINE, funding.line_id)
        sources.append(PayCodeSourceView(kind="line", line=line, tenor=funding.tenor))
    return PayCodeView(
        id=encode(Prefix.PAY_CODE, issued.id),
        created_at=issued.created_at,
        code=issued.code,
        expires_at=issued.expires_at,
        funding=tuple(sources),
        offline=issued.offline,
    )


ROUTES = (
    Route(
        method="POST",
        path="/v1/pay_codes",
        operation="create_pay_code",
        summary="A code to show at a till",
        handle=create_pay_code,
        body=CreatePayCode,
        answers={201: PayCodeView},
    ),
    Route(
        method="DELETE",
        path="/v1/pay_codes",
        operation="stop_pay_codes",
        summary="End the codes of this device",
        handle=stop_pay_codes,
        answers={200: PayCodesStopped},
    ),
)
