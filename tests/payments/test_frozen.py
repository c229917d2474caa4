"""Captures while the payer is frozen: as the product, or for the wallet the policy, says. What is held stays held."""

import pytest
from msgspec.structs import replace

from wufeng.credit.products.model import Captures, Freeze
from wufeng.identity.people.model import PersonStatus
from wufeng.identity.people.store import move_status
from wufeng.identity.policy import FreezeTerms, shipped_identity_policy
from wufeng.ledger import AccountKind
from wufeng.payments.catalogue import Catalogue
from wufeng.payments.pay import capturing
from wufeng.payments.pay.model import Capture, Funding

from .conftest import Payer, Town


@pytest.fixture
def terms(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> tuple[bool, bool]:
    """Whether the wallet, and whether the line, may be captured from while the payer is frozen."""
    wallet_may, line_may = request.param
    policy = replace(shipped_identity_policy(), freeze=FreezeTerms(wallet_captures=wallet_may))
    monkeypatch.setattr(capturing, "shipped_identity_policy", lambda: policy)
    captures = Captures.ALLOW if line_may else Captures.REFUSE
    as_it_was = Catalogue.drawn_under
    monkeypatch.setattr(
        Catalogue,
        "drawn_under",
        lambda self, line, on: replace(as_it_was(self, line, on), freeze=Freeze(captures=captures)),
    )
    return wallet_may, line_may


async def move(town: Town, payer: Payer, source: PersonStatus, target: PersonStatus) -> None:
    async with town.database.transaction() as db:
        assert await move_status(db, payer.bucket, payer.id, [source], target)


@pytest.mark.parametrize("terms", [(w, c) for w in (True, False) for c in (True, False)], indirect=True)
@pytest.mark.parametrize(("wallet_minor", "line_minor"), [(100_00, 0), (0, 100_00), (40_00, 60_00)])
async def test_captures_of_a_frozen_payer(
    town: Town, terms: tuple[bool, bool], wallet_minor: int, line_minor: int
) -> None:
    [payer] = await town.people(wallet_minor=wallet_minor)
    funding = Funding(use_wallet=bool(wallet_minor), line_id=payer.line_id if line_minor else None)
    status, body = await town.pay(payer, "o1", 100_00, capture=Capture.LATER, funding=funding)
    assert (status, body["status"]) == (201, "authorised")
    await move(town, payer, PersonStatus.ACTIVE, PersonStatus.FROZEN)
    wallet_may, line_may = terms
    may = (wallet_may or not wallet_minor) and (line_may or not line_minor)
    status, body_after = await town.capture(payer, body)
    if may:
        assert (status, body_after["status"]) == (200, "captured")
        return
    assert (status, body_after["code"]) == (409, "state_conflict")
    assert await town.balance(payer.wallet_id, AccountKind.WALLET) == -wallet_minor, "it stays held"
    await move(town, payer, PersonStatus.FROZEN, PersonStatus.ACTIVE)
    status, body_after = await town.capture(payer, body)
    assert (status, body_after["status"]) == (200, "captured")


@pytest.mark.parametrize("terms", [(True, False)], indirect=True)
async def test_one_frozen_payer_does_not_hold_up_the_others_of_a_batch(
    town: Town, terms: tuple[bool, bool]
) -> None:
    frozen, other = await town.people(2)
    bodies = [
        (await town.pay(payer, f"o{n}", 100_00, capture=Capture.LATER))[1]
        for n, payer in enumerate((frozen, other))
    ]
    await move(town, frozen, PersonStatus.ACTIVE, PersonStatus.FROZEN)
    assert (await town.capture(frozen, bodies[0]))[0] == 409
    assert (await town.capture(other, bodies[1]))[0] == 200
    assert (await town.void(frozen, bodies[0]))[0] == 200, "the merchant may let go"
