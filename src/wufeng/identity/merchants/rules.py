"""What is decided about merchants."""

from collections.abc import Sequence

from msgspec import UNSET, UnsetType

from wufeng.base.errors import invalid_field
from wufeng.base.ids import Prefix, encode
from wufeng.identity.merchants.model import PPM, FeePlan, Merchant, MerchantView
from wufeng.identity.merchants.origins import read_address

NAME_MAX = 100
ORIGINS_MAX = 20


def check_merchant(name: str, fee_plan: FeePlan) -> str:
    """The name, trimmed. Refuses an unusable name and a fee of the whole payment or more (invalid_field)."""
    trimmed = name.strip()
    if not 1 <= len(trimmed) <= NAME_MAX or not trimmed.isprintable():
        raise invalid_field("/name", f"It must have 1 to {NAME_MAX} printable characters.")
    if not 0 <= fee_plan.rate_ppm < PPM:
        raise invalid_field(
            "/fee_plan/rate_ppm", f"It must be between 0 and {PPM - 1}: millionths of each payment."
        )
    return trimmed


def check_origins(origins: Sequence[str]) -> tuple[str, ...]:
    """The origins as browsers write them, each once, in order. Refuses (invalid_field) what is more than an origin."""
    if len(origins) > ORIGINS_MAX:
        raise invalid_field("/return_origins", f"There may be {ORIGINS_MAX} at most.")
    checked: dict[str, None] = {}
    for place, text in enumerate(origins):
        address = read_address(text)
        if address is None or address.rest not in ("", "/"):
            detail = "It must be an origin alone, such as https://shop.example or https://shop.example:8443."
            raise invalid_field(f"/return_origins/{place}", detail)
        checked[address.origin] = None
    return tuple(checked)


def view_of(merchant: Merchant, api_key: str | UnsetType = UNSET) -> MerchantView:
    """A merchant as the API shows it."""
    return MerchantView(
        id=encode(Prefix.MERCHANT, merchant.id),
        name=merchant.name,
        scene=merchant.scene,
        fee_plan=merchant.fee_plan,
        status=merchant.status,
        created_at=merchant.created_at,
        closed_at=merchant.closed_at,
        return_origins=merchant.return_origins,
        api_key=api_key,
    )
