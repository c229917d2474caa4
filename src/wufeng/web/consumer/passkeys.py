"""What pages need of passkeys: the challenge for what a form would do, and the yes that a form brings."""

from collections.abc import Mapping
from typing import Any

import msgspec

from wufeng.base.errors import Code
from wufeng.client import ApiProblem, Challenge, Confirmation
from wufeng.identity.passkeys.rules import relying_party_of
from wufeng.web.paging import Reply, Visit


def party_of(visit: Visit) -> str:
    """The host that passkeys are bound to; pages under another name show no button for them."""
    return relying_party_of(visit.services.settings.public_origin).id


def send_options(challenge: Challenge) -> Reply:
    """What a passkey is asked, for the page's script."""
    return _json(200, challenge.options)


def say(text: str) -> Reply:
    """Why nothing is asked, in the visitor's language, for the page's script."""
    return _json(422, {"said": text})


async def ask_to_confirm(visit: Visit, call: str, id_: str, request: Mapping[str, Any]) -> Reply:
    """What a passkey is asked in order to confirm the very request that the form will make."""
    try:
        challenge = await visit.api.confirmations.challenge(call, id_, request=request)
    except ApiProblem as problem:
        if problem.code not in (Code.STATE_CONFLICT, Code.INVALID_FIELD):
            raise
        return say(visit.gettext("You have no passkey for this. Use the PIN."))
    return send_options(challenge)


def confirmation_of(visit: Visit) -> Confirmation | None:
    """The yes that a form brings: a passkey's answer, with a code where one was asked for; or the PIN; or none."""
    passkey, code, pin = visit.field("passkey"), visit.field("code"), visit.field("pin")
    if passkey and code:
        return Confirmation(kind="passkey_code", proof=passkey, code=code)
    if passkey:
        return Confirmation(kind="passkey", proof=passkey)
    return Confirmation(kind="pin", proof=pin) if pin else None


def _json(status: int, body: Mapping[str, Any]) -> Reply:
    return Reply(status=status, body=msgspec.json.encode(body), media_type="application/json")
