"""`wufeng serve`: the HTTP server, until it is told to stop."""

import os
import socket
from typing import Annotated, Any

import typer
from granian import Granian
from granian.constants import Interfaces, Loops
from granian.errors import FatalError
from granian.log import LogLevels
from msgspec.structs import replace

from wufeng.base import logs
from wufeng.base.config import PREFIX, Settings
from wufeng.base.database import Database
from wufeng.base.errors import ConfigurationError
from wufeng.base.migrations import applied_migrations, pending, shipped_migrations
from wufeng.cli.output import print_line
from wufeng.cli.running import installation, run

STOPS_WITHIN_S = 30
WAITING_CONNECTIONS = 4096

_TO_OURS: dict[str, Any] = {
    "handlers": {},
    "formatters": {},
    "loggers": {name: {"handlers": [], "propagate": True} for name in ("_granian", "granian.access")},
}


def command(
    host: Annotated[str | None, typer.Option(help="Address to listen on; default: WUFENG_HOST.")] = None,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65_535, help="TCP port, 0 for any free one; default: WUFENG_PORT."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Worker processes; default: WUFENG_WORKERS.")
    ] = None,
) -> None:
    """Serve the API until Ctrl-C or SIGTERM; then refuse new work, finish what was accepted, and end."""
    settings = _with(installation(), host, port, workers)
    logs.configure(settings.log_level, settings.log_format)
    settings = _on_free_port(settings)
    run(_check(settings))
    serve(settings)


def serve(settings: Settings) -> None:
    """Run the server's processes here until they are told to stop. ConfigurationError: they did not start."""
    os.environ.update(_as_environment(settings))  # what the workers read
    where = f"[{settings.host}]" if ":" in settings.host else settings.host
    print_line(f"Wufeng serves http://{where}:{settings.port} (reference: /docs). Ctrl-C stops it.", "bold")
    server = Granian(
        "wufeng.app:create_server",
        factory=True,
        interface=Interfaces.ASGI,
        address=settings.host,
        port=settings.port,
        workers=settings.workers,
        loop=Loops.uvloop,
        backlog=WAITING_CONNECTIONS,
        websockets=False,
        workers_kill_timeout=STOPS_WITHIN_S,
        respawn_failed_workers=True,  # one that dies must not end the others
        log_level=LogLevels.warning,
        log_dictconfig=_TO_OURS,
    )
    try:
        server.serve()
    except FatalError as error:
        raise ConfigurationError(f"the server did not start: {error}") from None


def _with(settings: Settings, host: str | None, port: int | None, workers: int | None) -> Settings:
    return replace(
        settings,
        host=settings.host if host is None else host,
        port=settings.port if port is None else port,
        workers=settings.workers if workers is None else workers,
    )


def _as_environment(settings: Settings) -> dict[str, str]:
    values = {"host": settings.host, "port": settings.port, "workers": settings.workers}
    return {f"{PREFIX}{name.upper()}": str(value) for name, value in values.items()}


def _on_free_port(settings: Settings) -> Settings:
    """The settings with a port that can be listened on: the wanted one, or for 0 any. ConfigurationError: taken."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((settings.host, settings.port))
            return replace(settings, port=probe.getsockname()[1])
    except OSError as error:
        raise ConfigurationError(
            f"{settings.host}:{settings.port} cannot be listened on ({error.strerror}): "
            "set WUFENG_PORT to a free port, or end the program that has it"
        ) from None


async def _check(settings: Settings) -> None:
    """Refuse to serve a database that is not at this release."""
    async with Database(settings) as database, database.read() as db:
        waiting = pending(shipped_migrations(), await applied_migrations(db))
    if waiting:
        names = ", ".join(f"{one.number:04d}_{one.name}" for one in waiting)
        raise ConfigurationError(f"the database lacks migrations ({names}): run `wufeng migrate`")
