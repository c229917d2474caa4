"""What F3 finds wrong in the count of due dates, without a race."""

from datetime import date, timedelta

from wufeng.prove.catalogue.f3 import PASSES, Passing
from wufeng.prove.deeds import Deed, What
from wufeng.prove.race import Turn

ON = date(2027, 1, 11)
CLOSED_ON = ON - timedelta(days=1)


def passing() -> Passing:
    """Four people's bills pass; one of them repays that day, another is refunded, a third only buys."""
    did = [Deed(who=who, what=what) for who, what in ((0, What.REPAY), (1, What.REFUND), (2, What.BUY))]
    found = Passing()
    found.add([(who, ON) for who in range(4)], Turn(ON, [(did[0], ON)], [(deed, ON) for deed in did[1:]]))
    return found


def test_only_bills_that_somebody_repaid_may_be_missing_from_the_count() -> None:
    wrong = {
        count: passing().miscounted({(CLOSED_ON, PASSES): count, (CLOSED_ON, "bills"): 9}, "raced")
        for count in range(6)
    }
    assert [count for count, said in wrong.items() if not said] == [2, 3, 4]
    assert wrong[1] == ["due_dates of 2027-01-10: 1 rows raced, of 2 to 4 bills"]


def test_a_date_that_was_not_counted_at_all_and_one_without_bills_are_found() -> None:
    assert passing().miscounted({}, "raced") == ["due_dates of 2027-01-10: 0 rows raced, of 2 to 4 bills"]
    too_many = {(CLOSED_ON, PASSES): 3, (ON, PASSES): 1}
    assert passing().miscounted(too_many, "in peace") == [
        "due_dates of 2027-01-11: 1 rows in peace, of 0 to 0 bills"
    ]
