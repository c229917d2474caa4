"""`wufeng migrate`: bring the database to this release."""

import asyncio
from typing import Annotated

import typer

from wufeng.base import migrations, schema
from wufeng.base.clock import SystemClock
from wufeng.base.embedded import EmbeddedServer
from wufeng.base.errors import ConfigurationError
from wufeng.cli.output import AsJson, print_json, print_line
from wufeng.cli.running import installation, run


def command(
    as_json: AsJson = False,
    write_schema: Annotated[
        bool,
        typer.Option("--write-schema", help="Developers: write src/wufeng/schema.sql from the migrations."),
    ] = False,
) -> None:
    """Apply the migrations that the database does not have yet; safe to run twice, at once, and to be killed."""
    settings = installation()
    if write_schema:
        if not settings.embedded:
            raise ConfigurationError("--write-schema works on an embedded server: unset WUFENG_DATABASE_URL")
        with EmbeddedServer(settings) as server:
            text = asyncio.run(schema.schema_of_migrations(server, settings, SystemClock()))
        schema.SCHEMA_FILE.write_text(text, encoding="utf-8")
        print_line(f"Wrote {schema.SCHEMA_FILE}")
        return
    applied = run(migrations.migrate(settings, SystemClock()))
    if as_json:
        print_json({"applied": [f"{one.number:04d}_{one.name}" for one in applied]})
    elif applied:
        for one in applied:
            print_line(f"applied {one.number:04d}_{one.name}", "green")
    else:
        print_line("Nothing to do: the database is at this release.")
