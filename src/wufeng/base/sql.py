"""Named SQL: every statement stands in a `store.sql` beside the `store.py` that runs it.

`SQL = load(__file__)` in a store reads the sibling file; `SQL.lock_lines` is the text under `-- name:
lock_lines`.
"""

import re
from pathlib import Path

from wufeng.base.errors import ConfigurationError

_NAME = re.compile(r"^-- name: *([a-z][a-z0-9_]*) *$", re.MULTILINE)


class Statements:
    """The statements of one file as attributes. A name that the file does not have is an AttributeError."""

    def __init__(self, path: Path, texts: dict[str, str]) -> None:
        self._path = path
        self._texts = texts
        self.__dict__.update(texts)  # plain attributes: a look-up on the hot path costs nothing more

    def __getattr__(self, name: str) -> str:
        raise AttributeError(f"{self._path.name} has no statement named {name!r}")

    def names(self) -> list[str]:
        """The names in the order of the file."""
        return list(self._texts)

    def text(self, name: str) -> str:
        """A statement by its name, for tests and tools that walk over all of them."""
        return self._texts[name]


def parse(path: Path, source: str) -> Statements:
    """Split a file at its `-- name:` lines. Refuses a name given twice and a name without a statement."""
    texts: dict[str, str] = {}
    heads = list(_NAME.finditer(source))
    for head, following in zip(heads, [*heads[1:], None], strict=True):
        name = head[1]
        text = source[head.end() : following.start() if following else len(source)].strip()
        if name in texts:
            raise ConfigurationError(f"{path}: the statement {name} stands there twice")
        if not _without_comments(text):
            raise ConfigurationError(f"{path}: the statement {name} has no text")
        texts[name] = text
    return Statements(path, texts)


def load(module_file: str) -> Statements:
    """The statements of the `.sql` file that has the module's name: `load(__file__)` in store.py reads
    store.sql.
    """
    path = Path(module_file).with_suffix(".sql")
    return parse(path, path.read_text(encoding="utf-8"))


def _without_comments(text: str) -> str:
    return "\n".join(line.split("--")[0] for line in text.splitlines()).strip()
