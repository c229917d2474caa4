"""What a text is: an EMVCo code of ours, a link of ours, or the id of a code. Pure."""

import re
from datetime import datetime
from uuid import UUID

from wufeng.base.errors import Problem, invalid_field
from wufeng.base.ids import Prefix, decode
from wufeng.payments.merchant_codes import emv
from wufeng.payments.merchant_codes.rules import SCHEME
from wufeng.payments.orders.model import Order, OrderState
from wufeng.payments.scans.model import Aim, Kind, Said, Standing
from wufeng.payments.tokens import BARE

TEXT_MAX = 1_000
_EMV = re.compile(r"0002[0-9]{2}")
_LINK = re.compile(
    r"(?:https?://[^/?#\s]{1,255})?/(?P<where>[qlf])/(?P<token>[0-9a-z]{26}(?:[0-9a-z]{26})?)/?"
)
_WHERE = {"l": Kind.PAYMENT_LINK, "f": Kind.FRIEND_LINK}
_UNPAID = frozenset({OrderState.OPEN, OrderState.EXPIRED, OrderState.CLOSED})


def read_text(text: str) -> Aim:
    """What a text names. Refuses (raises invalid_field) what is no code of ours, and a code that is not sound."""
    text = text.strip()
    if _EMV.match(text):
        return _of_emv(emv.parse(text))
    if match := _LINK.fullmatch(text):
        return _of_link(match["where"], match["token"])
    try:
        return Aim(Kind.MERCHANT_CODE, decode(Prefix.MERCHANT_CODE, text))
    except ValueError:
        raise invalid_field("/text", "This is no code and no link of ours.") from None


def _of_link(where: str, token: str) -> Aim:
    if where == "q" and len(token) == BARE:
        try:
            return Aim(
                Kind.MERCHANT_CODE, decode(Prefix.MERCHANT_CODE, f"{Prefix.MERCHANT_CODE.value}_{token}")
            )
        except ValueError:
            raise invalid_field("/text", "This is no code and no link of ours.") from None
    return Aim(_WHERE.get(where, Kind.ORDER), token=token)


def _of_emv(payload: emv.Payload) -> Aim:
    account = payload.account(SCHEME)
    if account is None:
        name = payload.value("59")
        raise invalid_field("/text", f"This code is of another wallet ({name}): it cannot be paid here.")
    inner = {field.id: field.value for field in account.fields}
    try:
        merchant_id = decode(Prefix.MERCHANT, inner.get("01", ""))
        kind, id_ = _named(inner.get("02", ""))
    except ValueError as error:
        raise invalid_field("/text", f"{account.id}: {error}.") from None
    return Aim(kind, id_, said=Said(merchant_id, payload.currency, payload.amount_minor))


def _named(text: str) -> tuple[Kind, UUID]:
    if text.startswith(Prefix.ORDER.value):
        return Kind.ORDER, decode(Prefix.ORDER, text)
    return Kind.MERCHANT_CODE, decode(Prefix.MERCHANT_CODE, text)


def problem_if_altered(said: Said | None, truth: Said) -> Problem | None:
    """The problem of a code whose merchant, currency or amount is not what its id stands for: somebody changed it."""
    if said is None:
        return None
    same = said.merchant_id == truth.merchant_id and said.currency == truth.currency
    if same and said.amount_minor in (None, truth.amount_minor):
        return None
    return invalid_field("/text", "This code was changed: it does not say what its merchant made it for.")


def standing_of_order(order: Order, at: datetime) -> Standing:
    """Whether an order can be paid at an instant."""
    if order.state not in _UNPAID:
        return Standing.PAID
    if order.payment_id is not None:
        return Standing.TAKEN
    expired = order.terms.expires_at is not None and at >= order.terms.expires_at
    return Standing.ENDED if expired or order.state is not OrderState.OPEN else Standing.OPEN
