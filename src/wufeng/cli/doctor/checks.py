"""The order of the look: what needs nothing first; what cannot be looked at for that reason is left out."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from wufeng.base.config import Settings, load_secrets, load_settings
from wufeng.base.database import Database
from wufeng.base.errors import ConfigurationError
from wufeng.cli.doctor import in_database, on_machine
from wufeng.cli.doctor.model import Finding, fail, ok

T = TypeVar("T")


async def examine() -> list[Finding]:
    """Look everything over. Starts the embedded server for the look if it does not run."""
    findings = [on_machine.python(), on_machine.packages()]
    settings, finding = _tried("settings", load_settings, "mend the setting it names (docs/operations.md)")
    findings.append(finding)
    if settings is None:
        return findings
    findings += [on_machine.data_dir(settings), on_machine.disk(settings), on_machine.port(settings)]
    _, finding = _tried(
        "secrets", lambda: load_secrets(settings), "run `wufeng init`, or bring back the kept secrets.json"
    )
    findings.append(finding)
    findings += await _of_database(settings)
    return findings


async def _of_database(settings: Settings) -> Sequence[Finding]:
    if settings.embedded and not (settings.data_dir / "postgresql" / "data" / "PG_VERSION").exists():
        return [fail("database", f"there is none in {settings.data_dir}", "run `wufeng init`")]
    database = Database(settings)
    try:
        async with database:
            findings = [ok("database", on_machine.server_name(settings, database.server))]
            async with database.read() as db:
                findings += await in_database.look(db, settings)
            return findings
    except ConfigurationError as error:
        return [fail("database", str(error), "see the message; docs/operations.md lists the causes")]


def _tried(what: str, read: Callable[[], T], remedy: str) -> tuple[T | None, Finding]:
    try:
        return read(), ok(what, "readable")
    except ConfigurationError as error:
        return None, fail(what, str(error), remedy)
