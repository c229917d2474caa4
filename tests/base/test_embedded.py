"""The embedded server's life: made, shared, stopped, found dead, found broken."""

import fcntl
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import asyncpg
import pytest

from wufeng.base import embedded
from wufeng.base.config import Durability, Settings
from wufeng.base.embedded import APP_ROLE, SUPERUSER, EmbeddedServer, tool
from wufeng.base.errors import ConfigurationError


def settings_in(path: Path, **overrides: str) -> Settings:
    small = {"shared_buffers": "16MB", "wal_buffers": "1MB", "max_connections": "20", "io_workers": "1"}
    return Settings(data_dir=path, durability=Durability.UNSAFE_FOR_TESTS, postgres=small | overrides)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory whose server was made, started and stopped once; to be copied."""
    path = tmp_path_factory.mktemp("embedded") / "made"
    with EmbeddedServer(settings_in(path)):
        pass
    return path


@pytest.fixture
def settings(made: Path, tmp_path: Path) -> Settings:
    path = tmp_path / "data with spaces"
    subprocess.run(["cp", "-a", str(made), str(path)], check=True)
    return settings_in(path)


def ask(server: EmbeddedServer, statement: str) -> str:
    done = subprocess.run(
        [tool("psql"), "-XAt", "-c", statement],
        env=server.tool_environment(SUPERUSER, "postgres"),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_server_has_a_closed_socket_checksums_and_no_tcp(settings: Settings) -> None:
    with EmbeddedServer(settings) as server:
        running = server.running()
        assert running is not None
        assert running.ready
        assert stat.S_IMODE(server.socket_dir.stat().st_mode) == 0o700
        assert ask(server, "show listen_addresses") == ""
        assert ask(server, "show data_checksums") == "on"
        assert ask(server, "select datlocale from pg_database where datname = 'postgres'") == "C.UTF-8"
        assert ask(server, "select count(*) from pg_hba_file_rules where auth_method <> 'peer'") == "0"
        assert ask(server, "select count(*) from pg_hba_file_rules where type <> 'local'") == "0"
    assert server.running() is None
    assert not (server.socket_dir / ".s.PGSQL.5432").exists()


def test_the_server_does_not_run_as_root(settings: Settings) -> None:
    with EmbeddedServer(settings) as server:
        running = server.running()
        assert running is not None
        assert Path(f"/proc/{running.pid}").stat().st_uid != 0


def test_a_second_process_joins_and_the_last_to_leave_stops_it(settings: Settings) -> None:
    first, second = EmbeddedServer(settings), EmbeddedServer(settings)
    first.join()
    second.join()
    assert first.running() == second.running()
    first.leave()
    assert ask(second, "select 1") == "1"
    second.leave()
    assert second.running() is None
    second.leave()  # leaving twice does nothing


def test_a_directory_reached_by_another_name_is_the_same_server(settings: Settings, tmp_path: Path) -> None:
    other_name = tmp_path / "link"
    other_name.symlink_to(settings.data_dir)
    with EmbeddedServer(settings) as first, EmbeddedServer(settings_in(other_name)) as second:
        assert first.running() == second.running()
        assert ask(second, "select 1") == "1"


JOIN_AND_WAIT = """
import sys, time
from pathlib import Path
from wufeng.base.config import Durability, Settings
from wufeng.base.embedded import EmbeddedServer
server = EmbeddedServer(Settings(data_dir=Path(sys.argv[1]), durability=Durability.UNSAFE_FOR_TESTS))
server.join()
print("joined", flush=True)
time.sleep(60)
"""


def test_a_killed_process_does_not_count_as_one_that_is_there(settings: Settings) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", JOIN_AND_WAIT, str(settings.data_dir)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "joined\n"
    pid = EmbeddedServer(settings).running()
    child.kill()
    child.wait()
    assert EmbeddedServer(settings).running() == pid  # it lives on, and the next process joins it
    with EmbeddedServer(settings) as server:
        assert server.running() == pid
    assert server.running() is None


@pytest.mark.parametrize("signature", ["garbage", "number of another program", "number of nobody"])
def test_a_stale_pid_file_is_no_server(settings: Settings, signature: str) -> None:
    pid_file = settings.data_dir / "postgresql" / "data" / "postmaster.pid"
    number = {"garbage": "?", "number of another program": str(os.getpid()), "number of nobody": "4194303"}[
        signature
    ]
    pid_file.write_text(f"{number}\n{pid_file.parent}\n1\n5432\n/nowhere\n\n0 0\nready\n")
    assert EmbeddedServer(settings).running() is None
    with EmbeddedServer(settings) as server:
        assert ask(server, "select 1") == "1"


def test_a_socket_left_behind_does_not_hinder(settings: Settings) -> None:
    left = EmbeddedServer(settings).socket_dir
    left.mkdir(exist_ok=True)
    here = os.getcwd()
    os.chdir(left)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(".s.PGSQL.5432")
    os.chdir(here)
    (left / ".s.PGSQL.5432.lock").write_text(f"{os.getpid()}\n/x\n1\n5432\n{left}\n\n")
    with EmbeddedServer(settings) as server:
        assert ask(server, "select 1") == "1"


def test_a_killed_server_is_started_again_with_its_data(settings: Settings) -> None:
    with EmbeddedServer(settings) as server:
        ask(server, "create table kept (n int)")
        before = server.running()
        assert before is not None
        os.kill(before.pid, signal.SIGKILL)
        while server.running() is not None:  # the kernel takes its time
            time.sleep(0.005)
        server.ensure_running()
        after = server.running()
        assert after is not None
        assert after.pid != before.pid
        assert ask(server, "select count(*) from kept") == "0"


def test_a_server_of_which_processes_still_live_is_not_started_twice(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "ORPHANS_TIMEOUT_S", 0.2)
    with (settings.data_dir / "postgresql" / "serving.lock").open("w") as left:
        fcntl.flock(left, fcntl.LOCK_EX)
        with pytest.raises(ConfigurationError, match="another container"):
            EmbeddedServer(settings).join()
    with EmbeddedServer(settings) as server:
        assert ask(server, "select 1") == "1"


def test_files_of_another_version_are_refused_with_the_way_out(settings: Settings) -> None:
    (settings.data_dir / "postgresql" / "data" / "PG_VERSION").write_text("17\n")
    with pytest.raises(ConfigurationError, match=r"made by PostgreSQL 17.*brings 18.*backup create"):
        EmbeddedServer(settings).join()


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("shared_bufers", "1GB", r"mend \[postgres\] in wufeng.toml"),
        ("max_connections", "many", r"mend \[postgres\] in wufeng.toml"),
        ("shared_buffers", "800TB", r"too little memory|mend"),
    ],
)
def test_a_wrong_server_setting_is_named(settings: Settings, name: str, value: str, message: str) -> None:
    wrong = settings_in(settings.data_dir, **{name: value})
    with pytest.raises(ConfigurationError, match=message):
        EmbeddedServer(wrong).join()
    with EmbeddedServer(settings) as server:  # and mended, it starts
        assert ask(server, "select 1") == "1"


def test_an_initdb_killed_half_way_leaves_nothing(tmp_path: Path) -> None:
    half = tmp_path / "postgresql" / "data.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    with EmbeddedServer(settings_in(tmp_path)) as server:
        assert ask(server, "select 1") == "1"
        assert not half.exists()


def test_a_path_too_long_for_a_socket_gets_a_short_one_as_closed(made: Path, tmp_path: Path) -> None:
    path = tmp_path / ("long " * 20).strip() / "data"
    path.parent.mkdir()
    subprocess.run(["cp", "-a", str(made), str(path)], check=True)
    with EmbeddedServer(settings_in(path)) as server:
        assert path not in server.socket_dir.parents
        assert stat.S_IMODE(server.socket_dir.stat().st_mode) == 0o700
        assert ask(server, "select 1") == "1"


def test_a_data_directory_that_cannot_be_made_is_an_error_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="cannot be made"):
        EmbeddedServer(settings_in(tmp_path / "file")).join()


async def test_a_role_of_another_name_is_refused(settings: Settings) -> None:
    with EmbeddedServer(settings) as server:
        with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
            await asyncpg.connect(host=str(server.socket_dir), user="somebody", database="postgres")
        with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError, match="wufeng_app"):
            await asyncpg.connect(host=str(server.socket_dir), user=APP_ROLE, database="postgres")


def test_two_processes_that_start_at_once_share_one_server(settings: Settings) -> None:
    children = [
        subprocess.Popen(
            [sys.executable, "-c", JOIN_AND_WAIT, str(settings.data_dir)], stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "joined\n"
    server = EmbeddedServer(settings)
    assert server.running() is not None
    for child in children:
        child.kill()
        child.wait()
    time.sleep(0.1)
    with server:
        pass
    assert server.running() is None
