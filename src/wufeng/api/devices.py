"""Devices: what the caller signs in on."""

from msgspec import Struct

from wufeng.api.bodies import ListQuery, starting_after
from wufeng.api.routing import Call, Nothing, Route, reply, reply_list
from wufeng.base.claims import Answer
from wufeng.base.ids import Prefix
from wufeng.identity.devices.commands import revoke_device
from wufeng.identity.devices.model import DeviceView
from wufeng.identity.devices.queries import list_devices


class DeviceList(Struct, frozen=True, kw_only=True):
    """A person's devices, newest first."""

    data: list[DeviceView]
    next: str | None
    has_more: bool


async def get_devices(call: Call[Nothing, ListQuery]) -> Answer:
    """The caller's devices that have not been revoked."""
    before, limit = starting_after(call.query, Prefix.DEVICE, "device"), call.query.limit
    async with call.services.database.read() as db:
        found = await list_devices(db, call.book, call.caller.id, call.caller.device_id, before, limit + 1)
    return reply_list(found, limit)


async def delete_device(call: Call[Nothing, Nothing]) -> Answer:
    """Revoke one of the caller's devices: its sessions, its pay codes and the passkeys that it alone holds end."""
    device_id, caller = call.path_id(Prefix.DEVICE, "device"), call.caller
    revoked = await revoke_device(
        call.services.database, call.book, device_id, caller.id, caller.device_id, call.at
    )
    return reply(revoked)


ROUTES = (
    Route(
        method="GET",
        path="/v1/devices",
        operation="list_devices",
        summary="The caller's devices",
        handle=get_devices,
        query=ListQuery,
        answers={200: DeviceList},
    ),
    Route(
        method="DELETE",
        path="/v1/devices/{id}",
        operation="delete_device",
        summary="Revoke a device",
        handle=delete_device,
        answers={200: DeviceView},
    ),
)
