"""Devices that a person signs in on, passkeys, and what passkeys sign."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct

from wufeng.client.resource import Listing, Resource, at, given
from wufeng.client.transport import Repeat


class Device(Struct, frozen=True, kw_only=True):
    """A device. `trusted_at`: when a PIN or a passkey was first proved on it."""

    id: str
    created_at: datetime
    name: str
    is_current: bool
    seen_at: datetime
    trusted_at: datetime | None = None
    revoked_at: datetime | None = None


class Passkey(Struct, frozen=True, kw_only=True):
    """A passkey. `device`: the one that alone holds it."""

    id: str
    created_at: datetime
    name: str
    status: str
    device: str | None = None
    used_at: datetime | None = None


class Challenge(Struct, frozen=True, kw_only=True):
    """What a passkey is asked to sign: `options` are for navigator.credentials, as JSON."""

    id: str
    created_at: datetime
    purpose: str
    options: dict[str, Any]
    expires_at: datetime


class Devices(Resource):
    """The caller's devices."""

    def list(self, *, limit: int | None = None) -> Listing[Device]:
        """Those that have not been revoked, the latest first."""
        return self._list(Device, "/v1/devices", given(limit=limit))

    async def delete(self, id_: str) -> Device:
        """Revoke one: its sessions, its pay codes and the passkeys that it alone holds end."""
        return await self._delete(Device, f"/v1/devices/{at(id_)}")


class Passkeys(Resource):
    """The caller's passkeys."""

    async def challenge(self, *, code: str | None = None) -> Challenge:
        """What an authenticator signs to make one; in a session that is not stepped up with a one-time code."""
        return await self._post(Challenge, "/v1/passkeys/challenges", given(code=code))

    async def create(self, *, answer: str, name: str = "") -> Passkey:
        """Keep the one that was made. `answer`: the authenticator's, as JSON."""
        return await self._post(Passkey, "/v1/passkeys", {"answer": answer, "name": name})

    def list(self) -> Listing[Passkey]:
        """All of them."""
        return self._list(Passkey, "/v1/passkeys")

    async def rename(self, id_: str, *, name: str) -> Passkey:
        """Call one something else."""
        return await self._post(Passkey, f"/v1/passkeys/{at(id_)}/name", {"name": name}, Repeat.SAFE)

    async def delete(self, id_: str) -> Passkey:
        """Delete one."""
        return await self._delete(Passkey, f"/v1/passkeys/{at(id_)}")


class Confirmations(Resource):
    """What a passkey signs to confirm."""

    async def challenge(self, call: str, id_: str = "", *, request: Mapping[str, Any]) -> Challenge:
        """For one request, by its operation id, the id in its path and its body; it confirms no other."""
        body = {"call": call, "id": id_, "request": request}
        return await self._post(Challenge, "/v1/confirmations/challenges", body)
