"""The schema as text: `schema.sql` is what the migrations build, written by a program, to be read and
compared.
"""

import re
import subprocess
import uuid
from pathlib import Path

from msgspec.structs import replace

from wufeng.base import migrations
from wufeng.base.clock import Clock
from wufeng.base.config import Settings
from wufeng.base.database import close, open_connection
from wufeng.base.embedded import OWNER_ROLE, EmbeddedServer, tool
from wufeng.base.errors import ConfigurationError

SCHEMA_FILE = Path(__file__).resolve().parents[1] / "schema.sql"

_HEAD = (
    "-- Today's whole schema, to be read. `wufeng migrate --write-schema` writes it from the migrations.\n"
)
_NOISE = re.compile(r"(--.*|SET .*;|SELECT pg_catalog\.set_config\(.*|\\(un)?restrict .*)?")


def normalised(dump: str) -> str:
    """A dump of pg_dump without what differs between machines or tells nothing: settings, banners, blanks."""
    blocks = [
        "\n".join(line.rstrip() for line in block.splitlines() if not _NOISE.fullmatch(line.rstrip()))
        for block in re.split(r"\n{2,}", dump)
    ]
    return _HEAD + "\n" + "\n\n".join(block for block in blocks if block) + "\n"


def dump_schema(server: EmbeddedServer, settings: Settings) -> str:
    """The schema of the database `settings.database_name`, normalised."""
    return normalised(_dump(server, settings, "--schema-only", "--no-owner"))


def dump_release(server: EmbeddedServer, settings: Settings) -> str:
    """Schema and rows as statements: kept at a release, so that a test can migrate from it with data."""
    return _dump(server, settings, "--no-owner", "--inserts", "--rows-per-insert=100")


def restore_release(server: EmbeddedServer, settings: Settings, dump: Path) -> None:
    """Run the statements of `dump_release` in the empty database `settings.database_name`, as its owner."""
    done = subprocess.run(
        [tool("psql"), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", f"--file={dump}"],
        env=server.tool_environment(OWNER_ROLE, settings.database_name),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise ConfigurationError(f"{dump} cannot be restored: {done.stderr.strip()}")


async def schema_of_migrations(server: EmbeddedServer, settings: Settings, clock: Clock) -> str:
    """What the shipped migrations build from nothing, in a database that is made for this and dropped."""
    scratch = replace(settings, database_name=f"schema_{uuid.uuid4().hex[:12]}")
    await migrations.create_database(server, scratch, "template0")
    try:
        db = await open_connection(scratch, server, OWNER_ROLE, "schema")
        try:
            await migrations.apply(db, migrations.shipped_migrations(), clock)
        finally:
            await close(db)
        return dump_schema(server, scratch)
    finally:
        await migrations.drop_database(server, scratch)


def _dump(server: EmbeddedServer, settings: Settings, *options: str) -> str:
    done = subprocess.run(
        [tool("pg_dump"), "--restrict-key=wufeng", *options],
        env=server.tool_environment(OWNER_ROLE, settings.database_name),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise ConfigurationError(f"pg_dump failed: {done.stderr.strip()}")
    return done.stdout
