"""Decisions, features and lists in the database, and decisions as they are read."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from msgspec import UNSET, to_builtins

from wufeng.base.database import Connection, Database
from wufeng.base.errors import Problem
from wufeng.risk import (
    add_to_list,
    list_members,
    load_decision,
    load_known,
    record_decisions,
    remove_from_list,
    shipped_policy,
    view_for_person,
    view_for_staff,
)
from wufeng.risk.model import (
    NO_HISTORY,
    Confirmation,
    Decision,
    Features,
    ListMember,
    Outcome,
    Reason,
)

NOON = datetime(2026, 9, 3, 4, tzinfo=UTC)
POLICY = shipped_policy().policy
PAYER, SHOP = UUID(int=1), UUID(int=2)
SOME = Features((10, 20), (1_00, 2_00), 739_862, 2, 3_00, 1_00, 2)


def decision_of(number: int, features: Features, outcome: Outcome = Outcome.ALLOW) -> Decision:
    return Decision(
        id=UUID(int=number), payment_id=UUID(int=50 + number), payer_id=PAYER, merchant_id=SHOP,
        amount_minor=10_00, at=NOON, outcome=outcome,
        reasons=() if outcome is Outcome.ALLOW else (Reason.LISTED, Reason.VELOCITY),
        rules=("L001", "V002") if outcome is not Outcome.ALLOW else (),
        policy="payment@1", product=None, confirmation=Confirmation.PIN, features=features,
    )  # fmt: skip


async def bucket_of(owner: Connection) -> int:
    await owner.execute("insert into head (bucket, book, booked_at) values (7, 1, $1)", NOON)
    return 7


async def test_decisions_are_kept_with_the_features_they_saw(db: Connection, owner: Connection) -> None:
    bucket = await bucket_of(owner)
    declined = decision_of(1, NO_HISTORY, Outcome.DECLINE)
    allowed = decision_of(2, SOME)
    after = Features((*SOME.recent_at_s, 30), (*SOME.recent_minor, 9), 739_862, 3, 3_09, 1_00, 3)
    await record_decisions(db, bucket, [declined, allowed], {PAYER: after})
    assert await load_decision(db, bucket, UUID(int=1)) == declined
    assert await load_decision(db, bucket, UUID(int=2)) == allowed
    assert await load_decision(db, bucket, UUID(int=3)) is None
    known = await load_known(db, bucket, [PAYER, UUID(int=9)], [SHOP])
    assert known.features == {PAYER: after, UUID(int=9): NO_HISTORY} and known.listed == set()
    await record_decisions(db, bucket, [decision_of(4, after)], {PAYER: SOME})
    assert (await load_known(db, bucket, [PAYER], [])).features == {PAYER: SOME}, "rewritten in place"


def test_a_person_reads_what_and_why_and_staff_how() -> None:
    decision = decision_of(1, SOME, Outcome.DECLINE)
    own = view_for_person(decision, "en")
    assert [(reason.code, reason.adverse_action) for reason in own.reasons] == [
        ("listed", "F03"), ("velocity", "F05"),
    ]  # fmt: skip
    assert own.features is UNSET and own.rules is UNSET and own.versions is UNSET
    assert not {"features", "rules", "versions"} & set(to_builtins(own))
    staff = to_builtins(view_for_staff(decision, "zh"))
    assert staff["rules"] == ("L001", "V002")
    assert list(staff["features"]["recent"]) == [
        {"at_s": 10, "amount_minor": 1_00}, {"at_s": 20, "amount_minor": 2_00},
    ]  # fmt: skip
    assert staff["versions"] == {"policy": "payment@1", "product": None}


async def test_staff_put_people_and_merchants_on_lists(database: Database, db: Connection) -> None:
    member = ListMember(
        list="blocked", member_id=SHOP, reason="fake goods", added_at=NOON, added_by=UUID(int=5)
    )
    assert await add_to_list(database, POLICY, member)
    assert not await add_to_list(database, POLICY, member), "once is enough"
    assert (await load_known(db, 7, [PAYER], [SHOP])).listed == {("blocked", SHOP)}
    assert (await load_known(db, 7, [SHOP], [])).listed == {("blocked", SHOP)}
    assert await list_members(db, "blocked", None, 10) == [member]
    assert await list_members(db, "blocked", SHOP, 10) == []
    assert await remove_from_list(database, "blocked", SHOP)
    assert not await remove_from_list(database, "blocked", SHOP)
    assert (await load_known(db, 7, [PAYER], [SHOP])).listed == set()
    with pytest.raises(Problem, match="blocked, cash_out_merchants"):
        await add_to_list(
            database,
            POLICY,
            ListMember(list="bocked", member_id=SHOP, reason="a typo", added_at=NOON, added_by=None),
        )
