"""The house rules of SQL and of the schema, proved on a migrated database in the application's role."""

import re
from pathlib import Path

import asyncpg
import pytest

from wufeng.base.database import Connection
from wufeng.base.sql import Statements, parse

SOURCE = Path(__file__).resolve().parents[1] / "src" / "wufeng"
REFUSED_WORDS = (
    "user", "customer", "trade", "sub_ledger", "credit_account", "cohort", "write_off", "eod", "pre_auth", "outbox"
)  # fmt: skip

OWNERS = {"base/migrations.sql"}
"""Statements of the role that owns the schema; they are tested where they are used."""

REFUSED_ON_PURPOSE = {"prove/store.sql: poison_numeric"}
"""Statements of the fault harness that the database is meant to refuse."""

READS_ITS_CLOCK = {"cli/doctor/queries.sql: instant"}
"""Statements that ask for the database's clock, to compare it with the machine's."""

WITHOUT_BUCKET = {
    "cli/doctor/queries.sql: heads": "looks at all buckets of each book",
    "base/followers/store.sql: behind": "asks of all buckets, for health checks",
}
"""Statements on distributed tables that look at all buckets, with the reason."""

CLOCK = re.compile(
    r"\b(now\s*\(|current_(date|time|timestamp)\b|clock_timestamp|localtime|statement_timestamp)", re.I
)
STAR = re.compile(r"(?:\b(?:select|returning)|,)\s+(?:(\w+)\.)?\*", re.I)
EXPLAINED = re.compile(r"\s*(--[^\n]*\n\s*)*(select|insert|update|delete|merge|with|values)\b", re.I)

FILES = sorted(
    path.relative_to(SOURCE).as_posix()
    for path in SOURCE.rglob("*.sql")
    if path.parent.name not in ("migrations", "bench") and path.name != "schema.sql"
)


def statements(file: str) -> Statements:
    """The statements of one file."""
    return parse(SOURCE / file, (SOURCE / file).read_text(encoding="utf-8"))


def code(text: str) -> str:
    """A statement without its comments and texts."""
    return re.sub(r"--[^\n]*|'[^']*'", " ", text)


async def test_statements_run_in_the_application_role(db: Connection) -> None:
    """Names, types and rights of every statement: EXPLAIN prepares it and asks for the rights, and runs nothing."""
    broken = []
    for file in FILES:
        found = statements(file)
        for name in found.names():
            place, text = f"{file}: {name}", found.text(name)
            if file in OWNERS or place in REFUSED_ON_PURPOSE:
                continue
            try:
                if EXPLAINED.match(text):
                    await db.execute(f"explain (generic_plan) {text}")
                else:
                    await db.prepare(text)
            except asyncpg.PostgresError as error:
                broken.append(f"{place}: {error}")
    assert broken == []


@pytest.mark.parametrize("file", FILES)
def test_statements_name_columns_and_take_dates(file: str) -> None:
    found = statements(file)
    texts = {name: code(found.text(name)) for name in found.names()}
    clocks = [
        name
        for name, text in texts.items()
        if CLOCK.search(text) and f"{file}: {name}" not in READS_ITS_CLOCK
    ]
    assert clocks == [], "dates come in as arguments"
    assert [name for name, text in texts.items() if takes_any_column(text)] == [], "columns are named"


def takes_any_column(text: str) -> bool:
    """Whether a statement takes all columns of a table; those of a part that the statement itself names are known."""
    return any(
        star[1] is None or not re.search(rf"\b{star[1]}\s+as\s*\(|\)\s+as\s+{star[1]}\b", text)
        for star in STAR.finditer(text)
    )


async def test_statements_on_distributed_tables_say_which_bucket(db: Connection) -> None:
    distributed = {
        row["name"] for row in await tables(db) if (row["comment"] or "").startswith("distributed")
    }
    silent = []
    for file in FILES:
        found = statements(file)
        for name in found.names():
            text = code(found.text(name))
            used = set(re.findall(r"\b(?:from|join|update|into)\s+(\w+)", text, re.I))
            if used & distributed and not re.search(r"\bbucket\b", text):
                silent.append(f"{file}: {name}")
    assert [place for place in silent if place not in WITHOUT_BUCKET] == []


async def tables(db: Connection) -> list[asyncpg.Record]:
    """Every table with its comment and the columns of its primary key."""
    return list(
        await db.fetch(
            """
            select c.relname as name, obj_description(c.oid) as comment,
                   (select array_agg(a.attname::text order by key.place)
                      from pg_index as i
                      cross join lateral unnest(i.indkey) with ordinality as key (number, place)
                      join pg_attribute as a on a.attrelid = i.indrelid and a.attnum = key.number
                     where i.indrelid = c.oid and i.indisprimary) as primary_key
              from pg_class as c
             where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
             order by c.relname
            """
        )
    )


async def test_tables_say_how_they_are_spread(db: Connection) -> None:
    found = await tables(db)
    assert len(found) > 20
    silent = [
        row["name"]
        for row in found
        if not (row["comment"] or "").startswith(("distributed by bucket", "reference table"))
    ]
    assert silent == [], "each table's comment begins with `distributed by bucket` or `reference table`"
    unkeyed = [
        row["name"]
        for row in found
        if row["comment"].startswith("distributed") and (row["primary_key"] or [""])[0] != "bucket"
    ]
    assert unkeyed == [], "the primary key of a distributed table begins with bucket"


async def test_no_constraint_crosses_buckets(db: Connection) -> None:
    """Each foreign key and each unique index of a distributed table holds its bucket."""
    found = await db.fetch(
        """
        select c.relname || ': ' || i.relname as place
          from pg_index as x join pg_class as c on c.oid = x.indrelid join pg_class as i on i.oid = x.indexrelid
         where c.relnamespace = 'public'::regnamespace and x.indisunique
           and obj_description(c.oid) like 'distributed%'
           and not exists (select 1 from pg_attribute as a
                            where a.attrelid = c.oid and a.attnum = any(x.indkey) and a.attname = 'bucket')
        union all
        select c.relname || ': ' || k.conname
          from pg_constraint as k
          join pg_class as c on c.oid = k.conrelid
          join pg_class as f on f.oid = k.confrelid
         where k.contype = 'f'
           and obj_description(c.oid) like 'distributed%' and obj_description(f.oid) like 'distributed%'
           and not exists (select 1 from pg_attribute as a
                            where a.attrelid = c.oid and a.attnum = any(k.conkey) and a.attname = 'bucket')
        """
    )
    assert [row["place"] for row in found] == []


async def test_refused_words_name_no_table_and_no_column(db: Connection) -> None:
    names = await db.fetch(
        "select table_name || '.' || column_name as place from information_schema.columns where table_schema = 'public'"
    )
    found = [
        row["place"]
        for row in names
        for word in REFUSED_WORDS
        if any(f"_{word}_" in f"_{part}_" for part in row["place"].split("."))
    ]
    assert found == []


async def test_the_application_role_cannot_change_history(db: Connection) -> None:
    """No update, delete or truncate on what is never changed: refused by the rights, before any trigger."""
    never_changed = [
        row["name"]
        for row in await tables(db)
        if "never changed" in (row["comment"] or "") and row["name"] != "event"
    ]
    assert {"journal", "decision"} <= set(never_changed)
    for table in never_changed:
        for right in ("update", "delete", "truncate"):
            assert not await db.fetchval("select has_table_privilege($1, $2)", table, right), (
                f"{right} on {table}"
            )
