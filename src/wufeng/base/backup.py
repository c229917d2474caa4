"""Backups of an embedded database: a directory with a dump of one instant and a manifest that it is checked by.

Payments go on meanwhile. The secrets are not in it: whoever finds a backup can open nothing sealed, and whoever
restores one must have kept `secrets.json`. The manifest knows by a fingerprint whether they fit.
"""

import hashlib
import hmac
import os
import shutil
import subprocess
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from wufeng.base import migrations
from wufeng.base.clock import Clock
from wufeng.base.config import Secrets, Settings
from wufeng.base.database import Connection, close, open_connection
from wufeng.base.embedded import OWNER_ROLE, EmbeddedServer, tool
from wufeng.base.errors import ConfigurationError
from wufeng.base.sql import load

SQL = load(__file__)

DUMP = "database.dump"
MANIFEST = "manifest.json"
FORMAT = 1


class BucketHead(Struct, frozen=True):
    """How far a bucket had come: every journal and event up to this number is in the dump."""

    bucket: int
    seq: int


class Manifest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a backup says of itself. A directory without one is a backup that was cut off."""

    format: int
    created_at: datetime
    migration: int
    heads: tuple[BucketHead, ...]
    dump_bytes: int
    dump_sha256: str
    secrets_fingerprint: str


def fingerprint(secrets: Secrets) -> str:
    """Tells whether two sets of secrets are the same, and nothing else about them."""
    return hmac.digest(secrets.sealing_key + secrets.pepper, b"wufeng backup", hashlib.sha256).hex()[:32]


async def create(
    server: EmbeddedServer, settings: Settings, secrets: Secrets, target: Path, at: datetime
) -> Manifest:
    """Write a backup into the directory `target`, which must not be there yet. Only its owner can read it."""
    _make_directory(target)
    db = await open_connection(settings, server, OWNER_ROLE, "backup")
    try:
        await db.execute(SQL.begin_snapshot)
        snapshot = await db.fetchval(SQL.export_snapshot)
        heads = await _heads(db)
        applied = await migrations.applied_migrations(db)
        _dump(server, settings, snapshot, target / DUMP)
        await db.execute(SQL.end_snapshot)
    except BaseException:
        shutil.rmtree(target)
        raise
    finally:
        await close(db)
    manifest = Manifest(
        format=FORMAT,
        created_at=at,
        migration=applied[-1].number,
        heads=heads,
        dump_bytes=(target / DUMP).stat().st_size,
        dump_sha256=_sha256(target / DUMP),
        secrets_fingerprint=fingerprint(secrets),
    )
    _write_durably(target / MANIFEST, msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n")
    return manifest


def read_manifest(source: Path) -> Manifest:
    """The manifest of a backup. Raises ConfigurationError for what is none, is damaged, or was cut off."""
    try:
        manifest = msgspec.json.decode((source / MANIFEST).read_bytes(), type=Manifest)
    except FileNotFoundError:
        raise ConfigurationError(
            f"{source} is no backup, or one that was cut off: it has no {MANIFEST}"
        ) from None
    except OSError as error:
        raise ConfigurationError(f"{source / MANIFEST} cannot be read: {error.strerror}") from None
    except msgspec.MsgspecError as error:
        raise ConfigurationError(f"{source / MANIFEST} is damaged: {error}") from None
    if manifest.format != FORMAT:
        raise ConfigurationError(f"{source} has the format {manifest.format}, this release reads {FORMAT}")
    return manifest


async def restore(
    server: EmbeddedServer, settings: Settings, secrets: Secrets, source: Path, clock: Clock
) -> Manifest:
    """Bring a backup back into an installation without a database, then migrate it to this release.

    Checked before anything is made: the dump's digest, and that the secrets are those it was sealed under.
    """
    manifest = read_manifest(source)
    if (source / DUMP).stat().st_size != manifest.dump_bytes or _sha256(
        source / DUMP
    ) != manifest.dump_sha256:
        raise ConfigurationError(f"{source / DUMP} is damaged: it is not what {MANIFEST} describes")
    if fingerprint(secrets) != manifest.secrets_fingerprint:
        raise ConfigurationError(
            f"the secrets of {settings.data_dir} are not those of the backup: what it has sealed could not be opened. "
            "Bring back the secrets.json of the installation that made it"
        )
    await migrations.create_database(server, settings, "template0")
    db = await open_connection(settings, server, OWNER_ROLE, "restore")
    try:
        if not await db.fetchval(SQL.is_empty):
            raise ConfigurationError(
                f"{settings.data_dir} has a database already: restore into an empty WUFENG_DATA_DIR"
            )
        _load(server, settings, source / DUMP)
        heads = await _heads(db)
        if heads != manifest.heads:
            raise ConfigurationError(
                f"{source} was not restored whole: its buckets stand elsewhere than it says"
            )
        await migrations.apply(db, migrations.shipped_migrations(), clock)
    finally:
        await close(db)
    return manifest


async def _heads(db: Connection) -> tuple[BucketHead, ...]:
    return tuple(BucketHead(row["bucket"], row["seq"]) for row in await db.fetch(SQL.heads))


def _make_directory(target: Path) -> None:
    try:
        target.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        raise ConfigurationError(f"{target} is there already: a backup is never overwritten") from None
    except OSError as error:
        raise ConfigurationError(f"{target} cannot be made: {error.strerror}") from None


def _dump(server: EmbeddedServer, settings: Settings, snapshot: str, target: Path) -> None:
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        done = subprocess.run(
            [tool("pg_dump"), "--format=custom", f"--snapshot={snapshot}"],
            env=server.tool_environment(OWNER_ROLE, settings.database_name),
            stdout=file,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        os.fsync(file.fileno())
    if done.returncode != 0:
        raise ConfigurationError(f"pg_dump failed: {done.stderr.strip()}")


def _load(server: EmbeddedServer, settings: Settings, dump: Path) -> None:
    with dump.open("rb") as file:
        done = subprocess.run(
            [
                tool("pg_restore"),
                "--exit-on-error",
                "--single-transaction",
                f"--dbname={settings.database_name}",
            ],
            env=server.tool_environment(OWNER_ROLE, settings.database_name),
            stdin=file,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode != 0:
        raise ConfigurationError(f"pg_restore failed, nothing was kept: {done.stderr.strip()}")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_durably(path: Path, text: bytes) -> None:
    draft = path.with_name(f".{path.name}.new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
