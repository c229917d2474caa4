"""What stands in the codes that our merchants show: pure.

Source: EMV QR Code Specification, merchant-presented mode; merchant category codes of ISO 18245.
"""

from collections.abc import Mapping
from uuid import UUID

from wufeng.base.errors import Problem, invalid_field
from wufeng.base.ids import Prefix, encode
from wufeng.base.money import format_minor
from wufeng.identity.merchants.model import Merchant, Scene
from wufeng.payments.merchant_codes.emv import Field, Payload, Template, currency_field, template

SCHEME = "org.wufeng"
"""Our globally unique identifier: the accounts of other schemes in a code are none of ours."""

OPEN_MAX = 500
"""How many codes a merchant may have open."""

CATEGORIES: Mapping[Scene, str] = {
    Scene.GROCERY: "5411",
    Scene.CATERING: "5812",
    Scene.RETAIL: "5999",
    Scene.APPLIANCE: "5722",
    Scene.HOME: "5712",
    Scene.TRANSPORT: "4111",
    Scene.TRAVEL: "4722",
    Scene.HOTEL: "7011",
    Scene.EDUCATION: "8299",
    Scene.MEDICAL: "8099",
    Scene.UTILITY: "4900",
    Scene.TELECOM: "4814",
    Scene.ENTERTAINMENT: "7999",
    Scene.DIGITAL: "5815",
    Scene.SUBSCRIPTION: "5968",
    Scene.SERVICE: "7299",
    Scene.CHARITY: "8398",
    Scene.TRANSFER: "4829",
    Scene.TOP_UP: "6540",
    Scene.WEALTH: "6211",
    Scene.SECURITIES: "6211",
    Scene.PROPERTY: "6513",
    Scene.LOTTERY: "7995",
    Scene.LOAN_REPAYMENT: "6012",
    Scene.PREPAID_CARD: "6540",
    Scene.RED_PACKET: "4829",
}
"""What a merchant of a scene is called by the card schemes."""

_NAME_MAX, _CITY_MAX, _LABEL_MAX, _WHOLE_MAX = 25, 15, 25, 10
_STATIC, _DYNAMIC = "11", "12"


def static_payload(
    merchant: Merchant, code_id: UUID, label: str, amount_minor: int | None, currency: str, time_zone: str
) -> Payload:
    """What a static code says: the merchant, the code, and the amount where the code fixes it.

    time_zone  of the book: its city stands for the merchant's, of which none is kept
    """
    named = encode(Prefix.MERCHANT_CODE, code_id)
    return _payload(merchant, _STATIC, named, amount_minor, currency, time_zone, (("07", _latin(label)),))


def dynamic_payload(
    merchant: Merchant, order_id: UUID, order_no: str, amount_minor: int, currency: str, time_zone: str
) -> Payload:
    """What the code of an order says: the merchant, the order and its amount."""
    named = encode(Prefix.ORDER, order_id)
    return _payload(merchant, _DYNAMIC, named, amount_minor, currency, time_zone, (("05", _latin(order_no)),))


def _payload(
    merchant: Merchant,
    kind: str,
    named: str,
    amount_minor: int | None,
    currency: str,
    time_zone: str,
    additional: tuple[tuple[str, str | None], ...],
) -> Payload:
    city = time_zone.rpartition("/")[2].replace("_", " ").upper()[:_CITY_MAX]
    account = (("00", SCHEME), ("01", encode(Prefix.MERCHANT, merchant.id)), ("02", named))
    own_name = merchant.name[:_NAME_MAX].strip()
    objects: list[Field | Template] = [
        Field("00", "01"),
        Field("01", kind),
        template("26", account),
        Field("52", CATEGORIES[merchant.scene]),
        currency_field(currency),
    ]
    amount = None if amount_minor is None else format_minor(amount_minor, currency)
    if amount is not None and len(amount.partition(".")[0]) <= _WHOLE_MAX:  # what is longer, its page says
        objects.append(Field("54", amount))
    objects += [
        Field("58", currency[:2]),
        Field("59", _latin(merchant.name) or "MERCHANT"),
        Field("60", city),
    ]
    if any(value for _, value in additional):
        objects.append(template("62", additional))
    if own_name and not merchant.name.isascii() and own_name.isprintable():
        objects.append(template("64", (("00", "ZH"), ("01", own_name))))
    return Payload(tuple(objects))


def _latin(text: str) -> str | None:
    """The text as far as a reader without Chinese shows it, at most 25 characters; None when nothing is left."""
    return (
        "".join(each for each in text if each.isascii() and each.isprintable())[:_LABEL_MAX].strip() or None
    )


def amount_to_pay(fixed_minor: int | None, asked_minor: int | None) -> int | Problem:
    """The amount of an order made from a static code: the code's, or what was keyed in."""
    if fixed_minor is not None:
        if asked_minor not in (None, fixed_minor):
            return invalid_field(
                "/amount_minor", f"This code is for {fixed_minor} minor units: leave it out."
            )
        return fixed_minor
    if asked_minor is None:
        return invalid_field("/amount_minor", "This code fixes no amount: say how much is paid.")
    return asked_minor
