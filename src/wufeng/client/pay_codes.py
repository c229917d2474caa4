"""Pay codes of a person's device."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from wufeng.client.payments import Source
from wufeng.client.resource import Resource, given


class OfflineCodes(Struct, frozen=True, kw_only=True):
    """What a phone needs to make codes by itself: 38, the handle, and a one-time password (RFC 6238) of the secret."""

    handle: str
    secret: str
    step_seconds: int
    digits: int
    algorithm: str


class PayCode(Struct, frozen=True, kw_only=True):
    """A code to show: good for one payment, until `expires_at`."""

    id: str
    created_at: datetime
    code: str
    expires_at: datetime
    offline: OfflineCodes | None = None


class PayCodesStopped(Struct, frozen=True, kw_only=True):
    """A device whose codes are dead."""

    id: str
    stopped_at: datetime


class PayCodes(Resource):
    """The codes of the device that a person is signed in on."""

    async def create(self, *, funding: Sequence[Source] | None = None, enrol: bool | None = None) -> PayCode:
        """A code to show. `funding`: what this device pays with from now on; `enrol`: it makes codes by itself too."""
        return await self._post(PayCode, "/v1/pay_codes", given(funding=funding, enrol=enrol))

    async def stop(self) -> PayCodesStopped:
        """End the codes of this device."""
        return await self._delete(PayCodesStopped, "/v1/pay_codes")
