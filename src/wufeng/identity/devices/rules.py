"""What is decided about devices."""

from datetime import datetime
from uuid import UUID

from wufeng.base.errors import invalid_field
from wufeng.base.ids import Prefix, encode
from wufeng.identity.devices.model import NAME_MAX, Device, DeviceView


def check_name(name: str, pointer: str = "/device") -> str:
    """What a person calls a device or a passkey; it may be empty. Refuses an overlong or unprintable one."""
    if len(name) > NAME_MAX or not name.isprintable():
        raise invalid_field(pointer, f"It must have at most {NAME_MAX} printable characters.")
    return name


def view_of(device: Device, current_id: UUID | None, revoked_at: datetime | None = None) -> DeviceView:
    """A device as its person sees it, on one of their devices."""
    return DeviceView(
        id=encode(Prefix.DEVICE, device.id),
        name=device.name,
        is_current=device.id == current_id,
        created_at=device.created_at,
        seen_at=device.seen_at,
        trusted_at=device.trusted_at,
        revoked_at=revoked_at,
    )
