"""What is decided about merchants."""

from msgspec import UNSET, UnsetType

from wufeng.base.errors import invalid_field
from wufeng.base.ids import Prefix, encode
from wufeng.identity.merchants.model import PPM, FeePlan, Merchant, MerchantView

NAME_MAX = 100


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
        api_key=api_key,
    )
