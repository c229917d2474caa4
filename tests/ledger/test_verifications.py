"""A proof that is kept: when it was, whether it is due again."""

from datetime import UTC, datetime, timedelta

from wufeng.app import Background, Draft, found, opened
from wufeng.base.books import Mode
from wufeng.base.clock import FixedClock
from wufeng.base.config import Settings
from wufeng.ledger import latest_verification, verify_book, verify_if_due

NOON = datetime(2026, 9, 3, 4, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


async def test_a_book_is_proved_again_only_when_it_has_changed_and_an_hour_has_passed(
    settings: Settings,
) -> None:
    clock = FixedClock(NOON)
    await found(settings, [Draft(name="test", mode=Mode.TEST)], clock=clock)
    async with opened(settings, clock=clock, background=Background.OFF) as app:
        book = app.books.named("test")
        async with app.database.read() as db:
            assert await latest_verification(db, book) is None
        assert await verify_if_due(app.database, book, NOON, HOUR) is not None
        assert await verify_if_due(app.database, book, NOON + HOUR, HOUR) is None, "nothing has changed"
        async with app.database.read() as db:
            kept = await latest_verification(db, book)
            assert kept is not None
            assert (kept.at, kept.breaks, kept.changed_since) == (NOON, 0, False)
            await db.execute("update head set seq = seq + 1 where bucket = $1", book.buckets[0])
            kept = await latest_verification(db, book)
            assert kept is not None
            assert kept.changed_since
        assert await verify_if_due(app.database, book, NOON + HOUR / 2, HOUR) is None, "it was a moment ago"
        broken = await verify_if_due(app.database, book, NOON + HOUR, HOUR)
        assert broken is not None
        assert broken.breaks, "a number without a journal or event"
        async with app.database.read() as db:
            kept = await latest_verification(db, book)
            assert kept is not None
            assert (kept.at, kept.breaks) == (NOON + HOUR, len(broken.breaks))


async def test_a_proof_by_hand_is_kept_too(settings: Settings) -> None:
    clock = FixedClock(NOON)
    await found(settings, [Draft(name="test", mode=Mode.TEST)], clock=clock)
    async with opened(settings, clock=clock, background=Background.OFF) as app:
        book = app.books.named("test")
        await verify_book(app.database, book, NOON)
        async with app.database.read() as db:
            kept = await latest_verification(db, book)
        assert kept is not None
        assert (kept.at, kept.journals, kept.breaks) == (NOON, 0, 0)
