"""A person's yes with its proof, as calls that bind somebody take it: checked at the edge, stored nowhere."""

from typing import Any
from uuid import UUID

from wufeng.api.payments import ConfirmationBody
from wufeng.api.routing import Call
from wufeng.base.claims import Answer, load_claims
from wufeng.base.errors import Code, Problem
from wufeng.identity import check_pin
from wufeng.identity.vault import Private


async def prove(call: Call[Any, Any], person_id: UUID, confirmation: ConfirmationBody) -> Answer | None:
    """Check a proof. Returns the stored answer of a key that comes again: it costs no try and needs no proof.

    A wrong proof is refused here (confirmation_failed with tries_left) and stored with no key.
    """
    assert call.claim is not None, "a call that binds a person has a key"
    async with call.services.database.read() as db:
        claimed = (await load_claims(db, call.book, [call.claim.id])).get(call.claim.id)
    if claimed is not None and claimed.answer is not None:
        if (problem := call.claim.problem_if_other(claimed.digest)) is not None:
            raise problem
        return claimed.answer
    verdict = await check_pin(
        call.services.database,
        call.services.vault,
        call.book,
        person_id,
        Private(confirmation.proof),
        call.at,
    )
    if not verdict.ok:
        raise Problem(
            Code.CONFIRMATION_FAILED, "The PIN was not accepted.", extra={"tries_left": verdict.tries_left}
        )
    return None
