"""Every text of the pages stands in both languages, and the templates keep to the policy that the pages are sent with.

The templates and the handlers say which messages there are; the catalogues are held to that: none is missing, none is
left over, none is unsure, and none loses what it names.
"""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from jinja2 import Environment
from jinja2.ext import babel_extract

from wufeng.web.texts import LANGUAGES, catalogue_messages

WEB = Path(__file__).resolve().parents[2] / "src" / "wufeng" / "web"
TEMPLATES = WEB / "templates"
TRANSLATED = [language for language in LANGUAGES if language != "en"]

NAMES = {"中文", "English"}
"""What is written alike in both languages: each language's own name."""

CODE = re.compile(r"[a-z]+_[a-z0-9_]+$")
"""An account of the ledger, or an id."""

WORDS = re.compile(r"[A-Za-z\u4e00-\u9fff]")
PLACES = re.compile(r"%\((\w+)\)[sd]")
GETTEXT = ("gettext", "ngettext")


def templates() -> list[Path]:
    return sorted(TEMPLATES.rglob("*.html"))


def named(path: Path) -> str:
    return path.relative_to(TEMPLATES).as_posix()


def in_templates() -> Iterator[tuple[str, str]]:
    """Every message of the templates, with its place."""
    for path in templates():
        with path.open("rb") as source:
            for line, _, said, _ in babel_extract(
                source, ("_", "gettext", "ngettext"), (), {"trimmed": "true"}
            ):
                message = said[0] if isinstance(said, tuple) else said
                assert isinstance(message, str)
                yield message, f"{named(path)}:{line}"


def in_handlers() -> Iterator[tuple[str, str]]:
    """Every message of the handlers, with its place. A message is a text that stands there, or one marked by _()."""
    for path in sorted(WEB.rglob("*.py")):
        if path.name in ("texts.py", "paging.py"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            called, first = getattr(node.func, "attr", getattr(node.func, "id", "")), node.args[0]
            if called in (*GETTEXT, "_") and not isinstance(first, ast.Attribute | ast.Name):
                place = f"{path.relative_to(WEB)}:{node.lineno}"
                assert isinstance(first, ast.Constant) and isinstance(first.value, str), place
                yield first.value, place


@cache
def messages() -> dict[str, str]:
    """Every message of the pages by its text, with one of its places."""
    return dict(reversed([*in_templates(), *in_handlers()]))


@cache
def translated(language: str) -> dict[str, tuple[str, Message]]:
    return {_key(message): (file, message) for file, message in catalogue_messages(language)}


def _key(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def _forms(message: Message) -> list[str]:
    text = message.string
    return [text] if isinstance(text, str) else list(text or [""])


def test_messages_are_found() -> None:
    assert len(messages()) > 200


@pytest.mark.parametrize("language", TRANSLATED)
def test_no_message_is_missing(language: str) -> None:
    missing = [f"{place}: {said}" for said, place in messages().items() if said not in translated(language)]
    assert missing == [], "\n".join(missing)


@pytest.mark.parametrize("language", TRANSLATED)
def test_no_message_is_left_over(language: str) -> None:
    left = [f"{file}: {said}" for said, (file, _) in translated(language).items() if said not in messages()]
    assert left == [], "\n".join(left)


@pytest.mark.parametrize("language", TRANSLATED)
def test_no_message_stands_twice(language: str) -> None:
    counted = Counter(_key(message) for _, message in catalogue_messages(language))
    files = [(_key(message), file) for file, message in catalogue_messages(language)]
    assert [pair for pair in files if counted[pair[0]] > 1] == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_message_is_said_and_keeps_its_places(language: str) -> None:
    wrong = []
    for said, (file, message) in translated(language).items():
        ids = [message.id] if isinstance(message.id, str) else list(message.id)
        wanted = {place for id_ in ids for place in PLACES.findall(id_)}
        for form in _forms(message):
            found = set(PLACES.findall(form))
            if message.fuzzy or not form.strip() or not found <= wanted or wanted - found - {"num"}:
                wrong.append(f"{file}: {said!r} → {form!r}")
            if said.strip() == said != "" and form.strip() != form:
                wrong.append(f"{file}: {said!r} has gained a space")
    assert wrong == [], "\n".join(wrong)


FRAME = re.compile(r"{% block frame %}[\w -]*{% endblock %}")
"""A block that stands for a class of the page's frame, not for a text."""


def without_jinja(text: str) -> str:
    """A template without its statements; whatever it prints becomes a place of its own."""
    tokens = Environment(extensions=["jinja2.ext.i18n"]).lex(FRAME.sub("", text))
    return "".join(value if kind == "data" else "\n" * value.count("\n") for _, kind, value in tokens)


class Markup(HTMLParser):
    """What a template says itself: its texts, and its elements with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: list[tuple[int, str]] = []
        self.attributes: list[tuple[int, str, str, str]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(self.getpos()[0], tag, name, value or "") for name, value in attrs]
        if not attrs:
            self.attributes.append((self.getpos()[0], tag, "", ""))

    def handle_data(self, data: str) -> None:
        self.texts.append((self.getpos()[0], data.strip()))


FOLDERS = ("console", "merchant", "shop")
"""Whose handlers name their templates without the folder."""

TOLD = {"alt", "aria-label", "placeholder", "title", "content"}
NOT_TOLD = {"viewport", "color-scheme", "theme-color", "htmx-config"}


@pytest.mark.parametrize("path", templates(), ids=named)
def test_a_template_says_nothing_past_the_catalogues(path: Path) -> None:
    markup = Markup(without_jinja(path.read_text(encoding="utf-8")))
    said = [
        f"{named(path)}:{line} {text}"
        for line, text in markup.texts
        if WORDS.search(text) and text not in NAMES and not CODE.match(text)
    ]
    metas = {line for line, tag, name, value in markup.attributes if tag == "meta" and value in NOT_TOLD}
    said += [
        f"{named(path)}:{line} {name}={value}"
        for line, _, name, value in markup.attributes
        if name in TOLD and WORDS.search(value) and line not in metas
    ]
    assert said == [], "\n".join(said)


@pytest.mark.parametrize("path", templates(), ids=named)
def test_a_template_keeps_to_the_policy(path: Path) -> None:
    markup = Markup(without_jinja(path.read_text(encoding="utf-8")))
    inline = [
        f"{named(path)}:{line} <{tag} {name}>"
        for line, tag, name, value in markup.attributes
        if name == "style"
        or name.startswith("on")
        or tag == "style"
        or value.strip().startswith("javascript:")
    ]
    sources = {line for line, tag, name, _ in markup.attributes if tag == "script" and name == "src"}
    inline += [
        f"{named(path)}:{line} <script>"
        for line, tag, _, _ in markup.attributes
        if tag == "script" and line not in sources
    ]
    assert inline == [], "\n".join(inline)
    assert "|safe" not in path.read_text(encoding="utf-8").replace(" ", ""), (
        "what is markup says so in Python"
    )


def test_every_template_is_used() -> None:
    written = [path.read_text(encoding="utf-8") for path in (*templates(), *sorted(WEB.rglob("*.py")))]
    names = set(re.findall(r"[\w/]+\.html", "\n".join(written)))
    names |= {f"{folder}/{name}" for name in names for folder in FOLDERS}
    assert [named(path) for path in templates() if named(path) not in names] == []
