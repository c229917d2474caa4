"""The settings of the embedded PostgreSQL, each with its reason. `[postgres]` in wufeng.toml overrides any
of them.

They are made for a few tables that every payment updates: short rows, small transactions, many commits.
"""

import os
from contextlib import suppress
from pathlib import Path

import psutil
from msgspec import Struct

from wufeng.base.config import Durability

GB = 1 << 30
MB = 1 << 20


class Machine(Struct, frozen=True):
    """What the settings are measured by."""

    memory_bytes: int
    cpus: int
    disk_free_bytes: int


class ServerSetting(Struct, frozen=True):
    """One line of postgresql.conf and why it is there."""

    name: str
    value: str
    why: str


def this_machine(data_dir: Path) -> Machine:
    """Memory (as far as a container's limit lets), processors, and the room on the disk that holds
    `data_dir`.
    """
    memory = psutil.virtual_memory().total
    with suppress(OSError, ValueError):  # no container, or one without a limit ("max")
        memory = min(memory, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    existing = next(path for path in (data_dir, *data_dir.parents) if path.exists())
    return Machine(memory, len(os.sched_getaffinity(0)), psutil.disk_usage(str(existing)).free)


def shared_buffers_mb(memory_bytes: int) -> int:
    """2 GB from 16 GB of memory on, an eighth of a smaller memory, never under 32 MB."""
    return 2048 if memory_bytes >= 15 * GB else max(32, memory_bytes // 8 // MB)


def max_wal_size_mb(disk_free_bytes: int) -> int:
    """16 GB, or a fifth of the free disk where that is less, never under 256 MB.

    A bill is 6 kB of log: the close of a million stays below half of it, which is where a checkpoint would begin.
    """
    return min(16_384, max(256, disk_free_bytes // 5 // MB))


def shipped(machine: Machine, durability: Durability) -> list[ServerSetting]:
    """The settings for a machine.

    With unsafe_for_tests a power cut may lose everything; what was answered still survives a killed server.
    """
    buffers_mb, wal_mb = shared_buffers_mb(machine.memory_bytes), max_wal_size_mb(machine.disk_free_bytes)
    cache_mb = max(buffers_mb, machine.memory_bytes // 2 // MB)
    if durability is Durability.UNSAFE_FOR_TESTS:
        buffers_mb, wal_mb = min(buffers_mb, 256), min(wal_mb, 1024)
    safe = "on" if durability is Durability.SAFE else "off"
    return [
        ServerSetting("listen_addresses", "", "no TCP: the socket's directory decides who may connect"),
        ServerSetting("max_connections", "100", "each worker holds one a lane, one a follower and its pool"),
        ServerSetting("superuser_reserved_connections", "3", "room to look at a server that is full"),
        ServerSetting("shared_buffers", f"{buffers_mb}MB", "the hot tables and their indexes stay in memory"),
        ServerSetting("effective_cache_size", f"{cache_mb}MB", "tells the planner what the page cache holds"),
        ServerSetting("work_mem", "16MB", "sorts of one batch or one bucket's day close"),
        ServerSetting(
            "maintenance_work_mem", f"{max(64, min(512, buffers_mb // 4))}MB", "index builds, vacuum"
        ),
        ServerSetting("fsync", safe, "what was acknowledged survives a power cut"),
        ServerSetting("synchronous_commit", "on", "an answer is sent after its commit is on disk"),
        ServerSetting("full_page_writes", safe, "a page torn by a power cut is mended from the log"),
        ServerSetting("wal_level", "replica", "base backups and point-in-time recovery"),
        ServerSetting("max_wal_senders", "4", "base backups while the server runs"),
        ServerSetting(
            "wal_compression", "off", "pglz takes 0.3 ms of a core a page image; the build has no lz4 or zstd"
        ),
        ServerSetting("wal_buffers", "32MB", "a group commit of many payments fits"),
        ServerSetting("max_wal_size", f"{wal_mb}MB", "checkpoints by time, not in the middle of a rush"),
        ServerSetting(
            "min_wal_size", f"{min(1024, wal_mb // 2)}MB", "log files are used again, not made anew"
        ),
        ServerSetting(
            "checkpoint_timeout", "15min", "fewer page images; recovery stays under a minute or two"
        ),
        ServerSetting("checkpoint_completion_target", "0.9", "spreads the writes of a checkpoint"),
        ServerSetting("random_page_cost", "1.1", "solid-state disks"),
        ServerSetting("jit", "off", "compiling costs more than any of our statements"),
        ServerSetting(
            "max_parallel_workers_per_gather", "0", "processors belong to payments; reports may set it"
        ),
        ServerSetting("autovacuum_naptime", "15s", "hot rows die fast: look often"),
        ServerSetting(
            "autovacuum_vacuum_scale_factor", "0.05", "and clean before a tenth of a table is dead"
        ),
        ServerSetting(
            "autovacuum_vacuum_insert_scale_factor", "0.2", "keeps all-visible bits of grown journals"
        ),
        ServerSetting("autovacuum_analyze_scale_factor", "0.05", "fresh statistics while a table grows fast"),
        ServerSetting(
            "autovacuum_vacuum_cost_limit", "1000", "vacuum keeps up with thousands of updates a second"
        ),
        ServerSetting("default_toast_compression", "pglz", "the build has no lz4"),
        ServerSetting("timezone", "UTC", "instants are UTC; business dates are computed by the book"),
        ServerSetting("lc_messages", "C", "messages that code may read"),
        ServerSetting("log_timezone", "UTC", "the log speaks of instants as everything else does"),
        ServerSetting("logging_collector", "on", "the server keeps its own log when its starter has gone"),
        ServerSetting("log_filename", "postgresql-%a.log", "a week of logs, then the oldest is used again"),
        ServerSetting("log_truncate_on_rotation", "on", "see log_filename"),
        ServerSetting("log_rotation_size", "0", "see log_filename"),
        ServerSetting(
            "log_line_prefix", "%m [%p] %u@%d %a ", "which process, role, database and part of Wufeng"
        ),
        ServerSetting("log_min_duration_statement", "2s", "slow statements are worth a look"),
        ServerSetting("log_parameter_max_length", "0", "values of parameters may be personal data"),
        ServerSetting("log_parameter_max_length_on_error", "0", "see log_parameter_max_length"),
        ServerSetting("log_error_verbosity", "terse", "the detail of an error names values of the row"),
        ServerSetting("log_min_error_statement", "panic", "a failed statement may carry literals"),
    ]


def render(settings: list[ServerSetting], overrides: dict[str, str], socket_dir: Path) -> str:
    """The text of postgresql.conf. An override keeps the place and loses the reason; unknown ones the
    server refuses.
    """
    lines = ["# Written by Wufeng at each start. Change it in [postgres] of wufeng.toml.", ""]
    fixed = {"unix_socket_directories": str(socket_dir), "unix_socket_permissions": "0700", "port": "5432"}
    names = {setting.name for setting in settings}
    for setting in settings:
        if setting.name in overrides:
            lines.append(f"{setting.name} = {_quoted(overrides[setting.name])}  # from wufeng.toml")
        else:
            lines.append(f"{setting.name} = {_quoted(setting.value)}  # {setting.why}")
    lines += [
        f"{name} = {_quoted(value)}  # from wufeng.toml"
        for name, value in overrides.items()
        if name not in names
    ]
    lines += [f"{name} = {_quoted(value)}" for name, value in fixed.items()]
    return "\n".join(lines) + "\n"


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "''").replace("\n", "")
    return f"'{escaped}'"
