"""When a line is debited, and how an amount is split over sources."""

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wufeng.base.books import Book, Mode
from wufeng.credit.bills.model import Bill, BillStatus
from wufeng.credit.debits.model import Tried
from wufeng.credit.debits.rules import hours, instant_of, is_wanted, split
from wufeng.credit.lines.model import Line, LineStatus
from wufeng.credit.products.files import shipped_products
from wufeng.credit.products.model import AutoDebit
from wufeng.credit.repayments.model import Debt, Source, SourceKind

DUE = date(2026, 10, 10)
TERMS = AutoDebit()
WALLET, BANK, OTHER_BANK = (
    Source(kind, UUID(int=n))
    for n, kind in enumerate((SourceKind.WALLET, SourceKind.BANK_ACCOUNT, SourceKind.BANK_ACCOUNT), 1)
)


def debt(*due: tuple[date, BillStatus], **line: object) -> Debt:
    fields: dict[str, object] = {
        "id": UUID(int=1), "person_id": UUID(int=2), "product": "monthly_bill", "product_version": 1,
        "currency": "CNY", "lenders": (), "limit_minor": 1, "status": LineStatus.OPEN, "bill_day": 1,
        "due_day": 10, "opened_on": date(2026, 9, 1), "auto_debit": ("wal_1",), **line,
    }  # fmt: skip
    bills = tuple(
        Bill(id=UUID(int=n), line_id=UUID(int=1), issued_on=date(2026, 9, 1), due_on=on, status=status,
             single_minor=100, accrued_on=on)
        for n, (on, status) in enumerate(due)
    )  # fmt: skip
    return Debt(Line(**fields), bills)  # type: ignore[arg-type]


OPEN, OVERDUE, PAID = (DUE, BillStatus.OPEN), (DUE, BillStatus.OVERDUE), (DUE, BillStatus.PAID)


@pytest.mark.parametrize(
    ("owes", "tried", "days", "number", "wanted"),
    [
        (debt(OPEN), None, -1, 0, False),
        (debt(OPEN), None, 0, 0, True),
        (debt(OPEN), Tried(DUE - timedelta(days=1), 4), 0, 0, True),
        (debt(OPEN), Tried(DUE, 1), 0, 0, False),
        (debt(OPEN), Tried(DUE, 1), 0, 1, True),
        (debt(OPEN), Tried(DUE, 2), 0, 1, False),
        (debt(OPEN), None, 0, 3, True),
        (debt(OPEN), None, 0, 4, False),  # there is no fifth time
        (debt(OVERDUE), None, 1, 0, True),
        (debt(OVERDUE), None, 1, 1, False),  # once a day after the due date
        (debt(OVERDUE), None, 90, 0, True),
        (debt(OVERDUE), None, 91, 0, False),
        (debt((DUE - timedelta(days=91), BillStatus.OVERDUE), OPEN), None, 0, 0, True),
        (debt(OVERDUE), Tried(DUE + timedelta(days=2), 1), 1, 0, False),  # a date is not gone back to
        (debt(PAID), None, 0, 0, False),
        (debt(), None, 0, 0, False),
        (debt(OPEN, auto_debit=()), None, 0, 0, False),
        (debt(OPEN, status=LineStatus.SUSPENDED), None, 0, 0, True),
        (debt(OPEN, status=LineStatus.CLOSING), None, 0, 0, True),
        (debt(OPEN, status=LineStatus.CLOSED), None, 0, 0, False),
    ],
)
def test_when_a_line_is_debited(
    owes: Debt, tried: Tried | None, days: int, number: int, wanted: bool
) -> None:
    assert is_wanted(owes, TERMS, tried, DUE + timedelta(days=days), number) is wanted


@pytest.mark.parametrize(
    ("sources", "due_minor", "asked"),
    [
        ([(WALLET, 100)], 100, [(WALLET, 100)]),
        ([(WALLET, 99)], 100, [(WALLET, 99)]),
        ([(WALLET, 0)], 100, []),
        ([(WALLET, 30), (BANK, None)], 100, [(WALLET, 30), (BANK, 70)]),
        ([(BANK, None), (WALLET, 30)], 100, [(BANK, 100)]),
        ([(BANK, None), (OTHER_BANK, None)], 100, [(BANK, 100)]),
        ([(WALLET, 30), (BANK, 0)], 100, [(WALLET, 30)]),
        ([(WALLET, 30), (BANK, None)], 0, []),
        ([(WALLET, 30), (BANK, None)], -1, []),
    ],
)
def test_split(
    sources: list[tuple[Source, int | None]], due_minor: int, asked: list[tuple[Source, int]]
) -> None:
    assert split(sources, due_minor) == asked


@given(
    st.lists(st.none() | st.integers(0, 10**18), max_size=6),
    st.integers(0, 10**18),
)
def test_the_sum_is_what_is_due_or_what_there_is_and_the_order_is_kept(
    available: list[int | None], due_minor: int
) -> None:
    sources = [Source(SourceKind.WALLET, UUID(int=n)) for n in range(len(available))]
    pieces = split(list(zip(sources, available, strict=True)), due_minor)
    there = due_minor if None in available else sum(one or 0 for one in available)
    assert sum(amount for _, amount in pieces) == min(due_minor, there)
    places = [sources.index(source) for source, _ in pieces]
    assert places == sorted(set(places)), "each source once, in the person's order"
    for place, (_, amount) in zip(places, pieces, strict=True):
        most = available[place]
        assert amount > 0 and (most is None or amount <= most)
    for place in places[:-1]:
        assert dict(pieces)[sources[place]] == available[place], (
            "a source is emptied before the next is asked"
        )


def book(cut_off: time = time(0)) -> Book:
    return Book(1, "main", Mode.TEST, "CNY", "Asia/Shanghai", cut_off, 0, (0,), (1,))


def test_the_hours_of_a_date() -> None:
    products = [one.product for one in shipped_products() if one.product.id == "monthly_bill"]
    midnight = book().start_of(DUE)
    found = hours(products, book(), DUE, None, midnight + timedelta(days=1))
    assert [(one.number, one.at - midnight) for one in found] == [
        (1, timedelta(hours=10)), (2, timedelta(hours=18)), (3, timedelta(hours=22)),
    ]  # fmt: skip
    assert found[0].products == {"monthly_bill": (1,)}
    at_ten = midnight + timedelta(hours=10)
    assert [one.number for one in hours(products, book(), DUE, None, at_ten)] == [1]
    assert hours(products, book(), DUE, None, at_ten - timedelta(seconds=1)) == []
    last = hours(products, book(), DUE, at_ten, midnight + timedelta(days=1))
    assert [one.number for one in last] == [2, 3]


@pytest.mark.parametrize(
    ("cut_off", "local", "instant"),
    [
        (time(0), time(0, 30), datetime(2026, 10, 9, 16, 30, tzinfo=UTC)),
        (time(0), time(22), datetime(2026, 10, 10, 14, tzinfo=UTC)),
        (time(23), time(22), datetime(2026, 10, 10, 14, tzinfo=UTC)),
        (time(23), time(23), datetime(2026, 10, 9, 15, tzinfo=UTC)),  # the date began on the evening before
        (time(22), time(22, 30), datetime(2026, 10, 9, 14, 30, tzinfo=UTC)),
    ],
)
def test_a_local_time_falls_into_its_business_date(cut_off: time, local: time, instant: datetime) -> None:
    found = instant_of(book(cut_off), DUE, local)
    assert found == instant
    assert book(cut_off).business_date(found) == DUE
