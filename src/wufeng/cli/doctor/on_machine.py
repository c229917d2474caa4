"""What can be seen without a database: the interpreter, packages, directories, disk, port."""

import contextlib
import errno
import http.client
import os
import platform
import re
import socket
import sys
from importlib import metadata

import psutil

from wufeng.base.config import Settings, mask_url
from wufeng.base.embedded import EmbeddedServer
from wufeng.cli.doctor.model import Finding, fail, ok, warn

GB = 1 << 30
DISK_FAIL_BYTES = 1 * GB
DISK_WARN_BYTES = 5 * GB

_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)")


def python() -> Finding:
    """Which interpreter runs."""
    return ok("python", f"{platform.python_version()} at {sys.executable}")


def packages() -> Finding:
    """Whether everything that Wufeng imports is installed."""
    wanted = [
        match[1]
        for text in metadata.requires("wufeng") or []
        if "extra ==" not in text and (match := _REQUIREMENT.match(text))
    ]
    missing = []
    for name in wanted:
        try:
            metadata.version(name)
        except metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        return fail("packages", f"missing: {', '.join(missing)}", "run `make setup`")
    return ok("packages", f"all {len(wanted)} are installed; wufeng {metadata.version('wufeng')}")


def data_dir(settings: Settings) -> Finding:
    """Whether the data directory is there, ours, writable, and closed to others."""
    path = settings.data_dir
    if not path.exists():
        return fail("data directory", f"{path} is not there", "run `wufeng init`, or set WUFENG_DATA_DIR")
    if not path.is_dir():
        return fail("data directory", f"{path} is no directory", "set WUFENG_DATA_DIR to a directory")
    if not os.access(path, os.W_OK | os.X_OK):
        return fail("data directory", f"{path} is not writable for this account", f"chown or chmod {path}")
    if path.stat().st_mode & 0o022:
        return warn("data directory", f"{path} is writable for others", f"chmod go-w '{path}'")
    return ok("data directory", str(path))


def disk(settings: Settings) -> Finding:
    """Room on the disk that holds the data."""
    existing = next(path for path in (settings.data_dir, *settings.data_dir.parents) if path.exists())
    free = psutil.disk_usage(str(existing)).free
    said = f"{free // GB} GB free"
    if free < DISK_FAIL_BYTES:
        return fail("disk", said, "make room: a full disk refuses payments (503 storage_full)")
    if free < DISK_WARN_BYTES:
        return warn("disk", said, "make room, or move WUFENG_DATA_DIR to a larger disk")
    return ok("disk", said)


def port(settings: Settings) -> Finding:
    """Whether the HTTP port is free, or served by this program already."""
    where = f"{settings.host}:{settings.port}"
    try:
        family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((settings.host, settings.port))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            if _serves(settings):
                return ok("port", f"{where}: a Wufeng server answers")
            return fail(
                "port", f"{where} is taken by another program", "set WUFENG_PORT, or end that program"
            )
        return fail(
            "port", f"{where}: {error.strerror}", "set WUFENG_HOST and WUFENG_PORT to what this machine has"
        )
    return ok("port", f"{where} is free")


def _serves(settings: Settings) -> bool:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104
    with contextlib.suppress(OSError, http.client.HTTPException):
        connection = http.client.HTTPConnection(host, settings.port, timeout=3)
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        return answer.status == 200 and answer.read(200).startswith(b'{"status":"ok"')
    return False


def server_name(settings: Settings, server: EmbeddedServer | None) -> str:
    """Which server it is."""
    if server is None:
        return f"your own: {mask_url(settings.database_url or '')}"
    found = server.running()
    return f"embedded, process {found.pid if found else '?'}, socket in {server.socket_dir}"
