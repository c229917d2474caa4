"""`wufeng backup`: copies of an embedded database, and the way back."""

import shutil
from pathlib import Path
from typing import Annotated

import typer

from wufeng.base import backup
from wufeng.base.clock import SystemClock
from wufeng.base.config import Settings, load_secrets, load_settings, secrets_path
from wufeng.base.database import Database
from wufeng.base.embedded import EmbeddedServer
from wufeng.base.errors import ConfigurationError
from wufeng.cli.output import AsJson, print_json, print_line
from wufeng.cli.running import installation, run
from wufeng.ledger import Report, verify

commands = typer.Typer(help="Back up an embedded database, and restore it.", no_args_is_help=True)

BROKEN = 1


@commands.command()
def create(
    target: Annotated[
        Path | None,
        typer.Argument(help="A directory to make; default: backups/<instant> in the data directory."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Copy the database as it is at this instant; payments go on. Keep secrets.json elsewhere: it is not in it."""
    settings = installation()
    _refuse_foreign(settings, "pg_dump --format=custom")
    secrets = load_secrets(settings)
    at = SystemClock().now()
    where = target or settings.data_dir / "backups" / f"{at:%Y%m%dT%H%M%SZ}"
    with EmbeddedServer(settings) as server:
        manifest = run(backup.create(server, settings, secrets, where.absolute(), at))
    if as_json:
        print_json({"path": str(where.absolute()), "manifest": manifest})
        return
    print_line(f"Backed up to {where} ({manifest.dump_bytes:,} bytes).", "green")
    print_line(
        f"Its secrets are not in it. Keep a copy of {secrets_path(settings)} somewhere else, and safe."
    )


@commands.command()
def restore(
    source: Annotated[Path, typer.Argument(help="The directory of a backup.")],
    secrets_file: Annotated[
        Path | None,
        typer.Option(
            "--secrets", help="The secrets.json that was kept; default: the one in the data directory."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Bring a backup back into an empty data directory (WUFENG_DATA_DIR), then prove its ledger."""
    settings = load_settings()
    _refuse_foreign(settings, "pg_restore --single-transaction")
    backup.read_manifest(source)
    if (settings.data_dir / "postgresql" / "data").exists():
        raise ConfigurationError(
            f"{settings.data_dir} has a database already: restore into an empty WUFENG_DATA_DIR"
        )
    _bring_secrets(settings, secrets_file)
    with EmbeddedServer(settings) as server:
        manifest = run(
            backup.restore(server, settings, load_secrets(settings), source.absolute(), SystemClock())
        )
        report = run(_prove(settings))
    if as_json:
        print_json({"manifest": manifest, "ledger_ok": not report.breaks, "journals": report.journals})
    else:
        print_line(f"Restored what was there at {manifest.created_at:%Y-%m-%d %H:%M:%S} UTC.", "green")
        proven = (
            "The ledger is proven" if not report.breaks else f"The ledger has {len(report.breaks)} breaks"
        )
        print_line(f"{proven}: {report.journals:,} journals.", "green" if not report.breaks else "bold red")
    if report.breaks:
        raise typer.Exit(BROKEN)


async def _prove(settings: Settings) -> Report:
    async with Database(settings) as database:
        return await verify(database)


def _bring_secrets(settings: Settings, kept: Path | None) -> None:
    own = secrets_path(settings)
    if kept is not None and not own.exists():
        if not kept.is_file():
            raise ConfigurationError(f"{kept} is no file: --secrets names the secrets.json that was kept")
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        shutil.copyfile(kept, own)
        own.chmod(0o600)
    if not own.exists():
        raise ConfigurationError(
            f"a backup has no secrets in it: name the secrets.json that was kept with --secrets, or put it at {own}"
        )


def _refuse_foreign(settings: Settings, instead: str) -> None:
    if not settings.embedded:
        raise ConfigurationError(
            "WUFENG_DATABASE_URL names a database of your own: back it up by its own means "
            f"(`{instead}` as wufeng_owner, or base backups with its log), and keep {secrets_path(settings)} too"
        )
