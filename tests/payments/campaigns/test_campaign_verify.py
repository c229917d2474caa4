"""The proof of campaigns' budgets: clean on what was paid, and every tampering is found."""

from tests.payments.conftest import Town

from wufeng.base.database import Connection
from wufeng.payments.campaigns.verify import BudgetBreak, budget_breaks

from .test_campaigns import PRICE_MINOR, make, pay

TAMPERINGS = (
    "update campaign_slice set used_minor = used_minor - 1 where bucket = $1",
    "delete from campaign_slice where bucket = $1",
    "update payment set campaign_minor = campaign_minor + 1 where bucket = $1",
    "update payment set campaign_held_minor = 1 where bucket = $1",
)


async def test_what_was_paid_is_proved_and_every_tampering_found(town: Town, owner: Connection) -> None:
    [payer] = await town.people()
    campaign = await make(town, budget_minor=2 * PRICE_MINOR)
    assert (await pay(town, payer, "o1", campaign))[0] == 201
    assert await budget_breaks(owner, payer.bucket) == []
    for statement in TAMPERINGS:
        transaction = owner.transaction()
        await transaction.start()
        await owner.execute(statement, payer.bucket)
        found = [one.kind for one in await budget_breaks(owner, payer.bucket)]
        await transaction.rollback()
        assert found == [BudgetBreak.CAMPAIGN_USED], statement
