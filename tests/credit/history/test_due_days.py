"""By which due day a draw was priced: the one of then, on whichever side of a change of its own date it came."""

from datetime import date
from uuid import UUID

from msgspec.structs import replace
from tests.credit.documents.lives import Life, Month
from tests.credit.documents.test_leaves import DATED

from wufeng.base.ids import id_of
from wufeng.credit.draws.model import Draw
from wufeng.credit.history.due_days import line_at, line_of
from wufeng.credit.history.model import DueDaySet
from wufeng.credit.lines.model import Line

ON = date(2026, 9, 20)
MOVES = (
    (id_of(100), DueDaySet(date(2026, 9, 10), 10, None, 15)),
    (id_of(200), DueDaySet(ON, 15, None, 20)),
    (id_of(300), DueDaySet(date(2026, 10, 25), 20, None, 28)),
)


def line() -> Line:
    """Its due day was moved three times."""
    return replace(Life(DATED).line, due_day=28)


def bought(due_day: int, id_: UUID) -> Draw:
    """A plan in three, drawn on the date of the second change by a line of that due day."""
    life = Life(DATED)
    life.line = replace(life.line, due_day=due_day)
    life.live([Month([(ON.day, 900_000, 3)])])
    (draw,) = life.draws.values()
    return replace(draw, id=id_)


def test_what_came_before_a_change_has_the_day_before_it() -> None:
    days = [
        (date(2026, 9, 9), 50, 10),
        (date(2026, 9, 10), 50, 10),
        (date(2026, 9, 10), 150, 15),
        (ON, 150, 15),
        (ON, 250, 20),
        (date(2026, 10, 26), 350, 28),
    ]
    assert [line_at(line(), MOVES, on, id_of(number)).due_day for on, number, _ in days] == [
        day for _, _, day in days
    ]
    assert line_at(line(), (), ON, id_of(1)).due_day == 28


def test_a_draw_authorised_before_a_change_and_captured_after_has_the_day_after_it() -> None:
    """Its id is as old as its payment."""
    for due_day, number in ((15, 150), (20, 150), (20, 250), (15, 250)):
        draw = bought(due_day, id_of(number))
        assert line_of(draw, line(), MOVES, DATED).due_day == due_day
        less = replace(draw, principal_parts=(*draw.principal_parts[:2], 0))
        assert line_of(less, line(), MOVES, DATED).due_day == due_day, "a refund lowers the last parts"


def test_where_the_parts_do_not_tell_the_ids_do() -> None:
    whole = replace(bought(15, id_of(250)), tenor=1, principal_parts=(900_000,), interest_parts=())
    assert line_of(whole, line(), MOVES, DATED).due_day == 20
