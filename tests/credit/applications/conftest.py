"""A house of credit with the steps of applications, and people who apply."""

from collections.abc import AsyncIterator, Collection
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
import pytest
from tests.credit.conftest import House, Payer, make_house

from wufeng import credit
from wufeng.base.database import Connection, Database
from wufeng.base.errors import Problem
from wufeng.base.ids import Prefix, decode
from wufeng.credit.applications.close import close_steps
from wufeng.credit.applications.model import Declared, Facts, Habits
from wufeng.credit.applications.policy import shipped_application_policy
from wufeng.credit.applications.views import ApplicationView

POLICY = shipped_application_policy()
REGULAR = Facts(1, Habits(payments=40, paid_minor=12_000_00, scenes=5, inflow_minor=30_000_00))
QUIET = Facts(1, Habits())


class Office:
    """Applies and accepts for people of a house. `facts` is what is known of them, as payments would tell."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.facts: dict[UUID, Facts] = {}
        house.steps += close_steps(POLICY, self.gather)

    async def gather(
        self, db: Connection, bucket: int, people: Collection[UUID], at: datetime, days: int
    ) -> dict[UUID, Facts]:
        assert days == POLICY.admission.history_days
        return {person: self.facts.get(person, Facts()) for person in people}

    def applying(self, payer: Payer, **more: Any) -> credit.Apply:
        fields: dict[str, Any] = {
            "product": "monthly_bill",
            "consents": POLICY.consents,
            "declared": Declared(),
            "age_years": 30,
            "facts": self.facts.get(payer.id, Facts()),
            **more,
        }
        return credit.Apply(
            at=self.house.at,
            people=(payer.id,),
            application_id=self.house.ids.new(self.house.at, payer.id.int & 0xFFFF),
            person_id=payer.id,
            **fields,
        )

    async def apply(self, payer: Payer, **more: Any) -> ApplicationView:
        answer = await self.house.do(self.applying(payer, **more))
        return msgspec.json.decode(answer.body, type=ApplicationView)

    def accepting(self, payer: Payer, view: ApplicationView, **more: Any) -> credit.AcceptApplication:
        assert view.sheet is not None
        fields: dict[str, Any] = {
            "sheet_hash": view.sheet.hash,
            "confirmed_by": "pin",
            "bank_accounts": 1,
            "person_id": payer.id,
            **more,
        }
        return credit.AcceptApplication(
            at=self.house.at,
            people=(payer.id,),
            application_id=decode(Prefix.APPLICATION, view.id),
            **fields,
        )

    async def accept(self, payer: Payer, view: ApplicationView, **more: Any) -> ApplicationView:
        answer = await self.house.do(self.accepting(payer, view, **more))
        return msgspec.json.decode(answer.body, type=ApplicationView)

    async def opened(self, payer: Payer, facts: Facts, **more: Any) -> Payer:
        """A person who has applied and signed."""
        self.facts[payer.id] = facts
        view = await self.accept(payer, await self.apply(payer, **more))
        assert view.line is not None
        return msgspec.structs.replace(payer, line_id=decode(Prefix.LINE, view.line))

    async def refused(self, command: Any) -> Problem:
        outcome = await self.house.send(command)
        assert isinstance(outcome, Problem), outcome
        return outcome


@pytest.fixture
async def office(database: Database, opened_on: date) -> AsyncIterator[Office]:
    house = await make_house(database, opened_on)
    yield Office(house)
    await house.lanes.drain()
