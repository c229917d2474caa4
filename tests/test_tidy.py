"""The house rules that a machine can hold (CONTRIBUTING.md). Those about SQL and the schema: test_tidy_sql.py.

A rule without a check will break. Sizes are ratcheted, not forbidden: the numbers below are today's, and go down.
"""

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import grimp
import pytest

from wufeng.base.errors import PROBLEMS
from wufeng.cli import COMMANDS
from wufeng.cli.stories import STORIES

PROJECT = Path(__file__).resolve().parents[1]
SOURCE = PROJECT / "src" / "wufeng"

LONGEST_FUNCTION_LINES = 80
LARGEST_FILE_LINES = 620

REFUSED_WORDS = (
    "user", "customer", "trade", "sub_ledger", "credit_account", "cohort", "write_off", "eod", "pre_auth", "outbox"
)  # fmt: skip

MONEY = ("base/money.py", "ledger", "lenders", "credit", "payments", "wealth")
"""Where a float would be a wrong fen."""
COUNTS_SECONDS = {
    "ledger/verify.py": "how long the proof took",
    "payments/bank/rules.py": "pauses between two questions to a bank",
    "payments/bank/runner.py": "the same",
    "payments/bank/test_bank.py": "how slow it is told to be",
}
"""Modules near money whose floats are seconds."""

CLOCKS = re.compile(r"^(datetime\.(now|utcnow|today)|date\.today|time\.(time|time_ns|localtime|gmtime))$")
MAY_READ_THE_CLOCK = ("base/clock.py", "bench/")  # the bench measures the machine itself

SQL_ROOMS = ("store.py", "queries.py")
SQL_TOO = {
    "base/backup.py": "the same as books",
    "base/books.py": "base has no contexts: a part and its statements share a name",
    "base/claims.py": "the same",
    "base/database.py": "the same",
    "base/events.py": "the same",
    "base/lanes.py": "the same; begin and commit are the lane's own",
    "base/migrations.py": "the same; and it runs the migrations",
    "base/followers/steps.py": "a step's transaction",
    "ledger/verify.py": "the proof is one long query",
    "credit/accruals/verify.py": "the same",
    "payments/campaigns/verify.py": "the same",
    "payments/bank/test_bank.py": "it stands for a bank outside, with books of its own",
}
SQL_START = re.compile(
    r"^\s*(select\s.*\sfrom\s|insert\s+into\s|update\s+\w+\s+set\s|delete\s+from\s|with\s+\w+\s+as\s*\("
    r"|(create|alter|drop)\s+(table|index|role|database)\s)",
    re.IGNORECASE | re.DOTALL,
)
SQL_CALLS = {"fetch", "fetchrow", "fetchval", "execute", "executemany", "copy_records_to_table"}


@cache
def sources() -> dict[str, ast.Module]:
    """Every module of the project by its path below src/wufeng."""
    return {
        path.relative_to(SOURCE).as_posix(): ast.parse(path.read_text(encoding="utf-8"), str(path))
        for path in sorted(SOURCE.rglob("*.py"))
    }


@cache
def nodes(tree: ast.Module) -> tuple[ast.AST, ...]:
    """All that a module is made of: walked once for all rules."""
    return tuple(ast.walk(tree))


@cache
def tracked() -> list[Path]:
    """The files of the project: what git keeps, or in a tree without git, all but what make made."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT,
        capture_output=True,
        check=False,
    )
    if listed.returncode == 0:
        paths = [PROJECT / name for name in listed.stdout.decode().split("\0") if name]
    else:
        paths = [path for path in PROJECT.rglob("*") if not any(part in MADE for part in path.parts)]
    return [path for path in paths if path.is_file()]


def none(found: Iterable[object]) -> None:
    """Fail with every place that was found, a line each."""
    places = [str(place) for place in found]
    assert not places, "\n".join(["", *places])


MADE = {".venv", ".git", "var", "build", "dist", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache"}


def dotted(node: ast.expr) -> str:
    """`datetime.now` for the expression datetime.now; empty for what is no plain path."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (head := dotted(node.value)):
        return f"{head}.{node.attr}"
    return ""


def calls(tree: ast.Module) -> Iterator[ast.Call]:
    """Every call in a module."""
    return (node for node in nodes(tree) if isinstance(node, ast.Call))


def strings(tree: ast.Module) -> Iterator[ast.Constant]:
    """Every string in a module that is no docstring."""
    docs = {
        id(node.body[0].value)
        for node in nodes(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    return (
        node
        for node in nodes(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs
    )


def may_hold_sql(name: str) -> bool:
    """Whether a module is one of the rooms with SQL."""
    return name.endswith(SQL_ROOMS) or name in SQL_TOO


def test_sql_is_only_in_stores() -> None:
    written = [
        f"{name}:{node.lineno} holds SQL"
        for name, tree in sources().items()
        if not may_hold_sql(name)
        for node in strings(tree)
        if SQL_START.match(str(node.value))
    ]
    run = [
        f"{name}:{call.lineno} runs a statement"
        for name, tree in sources().items()
        if not may_hold_sql(name)
        for call in calls(tree)
        if isinstance(call.func, ast.Attribute) and call.func.attr in SQL_CALLS
    ]
    none(written + run)


def test_stores_have_their_sql_in_a_file_beside_them() -> None:
    inline = [
        f"{name}:{node.lineno}"
        for name, tree in sources().items()
        if may_hold_sql(name)
        for node in strings(tree)
        if SQL_START.match(str(node.value))
    ]
    alone = [
        path.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("*.sql")
        if path.parent.name not in ("migrations", "bench")
        and path.name != "schema.sql"
        and not path.with_suffix(".py").exists()
    ]
    none(inline + alone)


def test_the_clock_is_read_in_one_place() -> None:
    found = [
        f"{name}:{call.lineno} {dotted(call.func)}()"
        for name, tree in sources().items()
        if not name.startswith(MAY_READ_THE_CLOCK)
        for call in calls(tree)
        if CLOCKS.search(".".join(dotted(call.func).split(".")[-2:]))
    ]
    none(found)


def test_no_float_is_near_money() -> None:
    found = [
        f"{name}:{node.lineno}"
        for name, tree in sources().items()
        if name.startswith(MONEY) and name not in COUNTS_SECONDS
        for node in floats(tree)
    ]
    none(found)


def floats(tree: ast.Module) -> Iterator[ast.expr]:
    """Float literals, the word float, and `/` in a module that has no Decimal; seconds (`_s`) are no money."""
    exact = any(isinstance(node, ast.ImportFrom) and node.module == "decimal" for node in nodes(tree))
    seconds = {
        id(part)
        for node in nodes(tree)
        if (isinstance(node, ast.AnnAssign) and dotted(node.target).endswith("_s"))
        or (isinstance(node, ast.arg) and node.arg.endswith("_s"))
        for part in ast.walk(node)
    }
    for node in nodes(tree):
        literal = isinstance(node, ast.Constant) and isinstance(node.value, float)
        named = isinstance(node, ast.Name) and node.id == "float"
        divided = (
            isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and not exact and not is_path(node)
        )
        if (literal or named or divided) and id(node) not in seconds:
            assert isinstance(node, ast.expr)
            yield node


def is_path(node: ast.BinOp) -> bool:
    """Whether `/` joins paths: one of its sides is a text."""
    sides = (node.left, node.right)
    return any(
        isinstance(side, ast.JoinedStr) or isinstance(getattr(side, "value", None), str) for side in sides
    )


def words(name: str) -> set[str]:
    """The refused words in a name, as whole words between underscores."""
    return {word for word in REFUSED_WORDS if f"_{word}_" in f"_{name.lower()}_"}


def test_refused_words_are_no_fields_and_no_codes() -> None:
    found = [
        f"{name}:{node.lineno} {said}"
        for name, tree in sources().items()
        if not name.startswith("gateways/")  # they speak other people's protocols
        for owner in nodes(tree)
        if isinstance(owner, ast.ClassDef)
        for node in owner.body
        for said in names_and_values(node)
        if words(said)
    ]
    none(found)


def names_and_values(node: ast.stmt) -> list[str]:
    """The name of a field, or the name and the value of an enum's member."""
    if isinstance(node, ast.AnnAssign):
        return [dotted(node.target)]
    if isinstance(node, ast.Assign):
        value = node.value.value if isinstance(node.value, ast.Constant) else None
        return [dotted(target) for target in node.targets] + ([value] if isinstance(value, str) else [])
    return []


def test_refused_words_are_refused() -> None:
    assert words("user_id") and words("pre_auth") and words("is_EOD")
    assert not words("trader") and not words("person_id") and not words("reuse")


def test_every_module_is_imported_by_another() -> None:
    graph = grimp.build_graph("wufeng", cache_dir=None)
    empty = {
        name for name, tree in sources().items() if not without_docstring(tree) or name.startswith(ENTRIES)
    }
    unknown = [
        f"{name}: its folder has no __init__.py" for name in sources() if module_of(name) not in graph.modules
    ]
    none(unknown)
    dead = [
        name
        for name in sources()
        if name not in empty and not graph.find_modules_that_directly_import(module_of(name))
    ]
    none(dead)


ENTRIES = (
    "cli/__init__.py",
    "api/__main__.py",
    "cli/__main__.py",
    "cli/doctor/__init__.py",
    "prove/catalogue/",  # found by their names
    "cli/stories/",  # the same
    *(f"cli/{name.replace('-', '_')}.py" for name in COMMANDS),  # imported when it is called
)
"""Where the outside comes in."""


def without_docstring(tree: ast.Module) -> list[ast.stmt]:
    """What a module holds beside the text on what it is for."""
    return tree.body[1:] if ast.get_docstring(tree) else tree.body


def module_of(name: str) -> str:
    """`wufeng.base.ids` for base/ids.py."""
    return ".".join(["wufeng", *name.removesuffix(".py").split("/")]).removesuffix(".__init__")


def test_public_names_say_what_they_mean() -> None:
    silent = [
        f"{name}:{node.lineno} {node.name}"
        for name, tree in sources().items()
        for node in public(tree)
        if not ast.get_docstring(node)
    ]
    none(silent)


def public(
    tree: ast.Module | ast.ClassDef,
) -> Iterator[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    """Functions, classes and their methods whose names do not begin with an underscore."""
    for node in tree.body:
        named = isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        if named and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from public(node)


def test_modules_say_what_they_are_for() -> None:
    none(name for name, tree in sources().items() if tree.body and not ast.get_docstring(tree))


def test_functions_and_files_do_not_grow() -> None:
    sizes = [
        ((node.end_lineno or 0) - node.lineno + 1, f"{name}:{node.lineno} {node.name}")
        for name, tree in sources().items()
        for node in nodes(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    files = [(len((SOURCE / name).read_text(encoding="utf-8").splitlines()), name) for name in sources()]
    none(size for size in sizes if size[0] > LONGEST_FUNCTION_LINES)
    none(size for size in files if size[0] > LARGEST_FILE_LINES)
    assert max(sizes)[0] > 0.9 * LONGEST_FUNCTION_LINES, "the ratchet is loose: lower LONGEST_FUNCTION_LINES"
    assert max(files)[0] > 0.9 * LARGEST_FILE_LINES, "the ratchet is loose: lower LARGEST_FILE_LINES"


UNFINISHED = re.compile(r"\b(?:TO" r"DO(?!\([a-z]+\): )|FIX" r"ME|X" r"XX(?=:))\b")
HOSTS = re.compile(r"(?:pypi|files\.pythonhosted|npmjs|debian|proxy\.golang|crates)\." r"(?:org|com|io)\b")
MACHINE = re.compile(r"""(?<![\w./-])/(?:work|home/[a-z]+|root|opt|Users)/[\w.-]""")


def texts() -> Iterator[tuple[str, int, str]]:
    """Every line of every text file of the tree, with its place."""
    for path in tracked():
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue
        name = path.relative_to(PROJECT).as_posix()
        yield from ((name, number, line) for number, line in enumerate(lines, 1))


@pytest.mark.parametrize(
    ("what", "pattern"),
    [
        ("unfinished work without a name", UNFINISHED),
        ("a registry's host", HOSTS),
        ("a path of one machine", MACHINE),
    ],
    ids=["todo", "host", "path"],
)
def test_the_tree_does_not_hold(what: str, pattern: re.Pattern[str]) -> None:
    found = [f"{name}:{number} {line.strip()[:90]}" for name, number, line in texts() if pattern.search(line)]
    none(found)


def test_texts_for_people_stand_in_both_languages() -> None:
    lacking = [
        f"{path.name}: {key}"
        for path in sorted((SOURCE / "catalogue" / "texts").glob("*.toml"))
        for key, entry in tomllib.loads(path.read_text(encoding="utf-8")).items()
        if not (
            isinstance(entry, dict) and str(entry.get("zh", "")).strip() and str(entry.get("en", "")).strip()
        )
    ]
    none(lacking)


@pytest.mark.parametrize("guide", ["docs/api.md", "docs/api.zh-CN.md"])
def test_the_guide_lists_every_problem(guide: str) -> None:
    text = (PROJECT / guide).read_text(encoding="utf-8")
    told = [
        (int(status), code)
        for status, code in re.findall(r"^\| (\d{3}) \| `([a-z_]+)` \|", text, re.MULTILINE)
    ]
    assert told == [(status, code.value) for code, (status, _) in PROBLEMS.items()]


BOTH_LANGUAGES = sorted(
    path.relative_to(PROJECT).as_posix().removesuffix(".zh-CN.md")
    for path in (*PROJECT.glob("*.zh-CN.md"), *(PROJECT / "docs").rglob("*.zh-CN.md"))
)
COMMANDS_SHOWN = re.compile(r"^ *```(?:sh|bash|js|http|json|toml)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


def test_there_are_pages_in_two_languages() -> None:
    guides = {"accept-a-payment", "offline-pay-code", "online", "openid", "passkeys", "products"}
    assert {"README", "docs/api", "docs/operations", *(f"docs/how-to/{one}" for one in guides)} <= {
        *BOTH_LANGUAGES
    }


@pytest.mark.parametrize("page", BOTH_LANGUAGES)
def test_pages_in_two_languages_show_the_same_commands(page: str) -> None:
    english, chinese = (
        COMMANDS_SHOWN.findall((PROJECT / f"{page}{tail}").read_text("utf-8"))
        for tail in (".md", ".zh-CN.md")
    )
    assert english, "a page in two languages that shows no command: is its fence one of COMMANDS_SHOWN?"
    assert [_without_comments(block) for block in english] == [_without_comments(block) for block in chinese]


def _without_comments(block: str) -> list[str]:
    return [line.split(" #")[0].rstrip() for line in block.splitlines() if not line.startswith("#")]


@pytest.mark.parametrize("tail", [".md", ".zh-CN.md"])
def test_the_readme_names_every_guide_and_story(tail: str) -> None:
    text = (PROJECT / f"README{tail}").read_text(encoding="utf-8")
    guides = {path.name for path in (PROJECT / "docs" / "how-to").glob(f"*{tail}")}
    guides = {name for name in guides if name.endswith(".zh-CN.md") is (tail == ".zh-CN.md")}
    none(name for name in sorted(guides) if f"](docs/how-to/{name})" not in text)
    told = re.findall(r"^\| `([a-z-]+)` \|", text, re.MULTILINE)
    assert [name for name in told if name in STORIES] == list(STORIES)


def test_links_between_pages_lead_somewhere() -> None:
    broken = [
        f"{path.relative_to(PROJECT)}: {target}"
        for path in tracked()
        if path.suffix == ".md"
        for target in re.findall(r"\]\(([^)#\s]+)", path.read_text(encoding="utf-8"))
        if "://" not in target and not (path.parent / target).exists()
    ]
    none(broken)
