"""The words of messages to phones, from the catalogue."""

from datetime import timedelta
from functools import cache

from msgspec import Struct

from wufeng.base.texts import read_texts
from wufeng.identity.codes.model import CODE_LASTS, Notice
from wufeng.identity.vault import Private


class MessageText(Struct, frozen=True, forbid_unknown_fields=True):
    """One message in both languages, with its values in braces."""

    zh: str
    en: str


@cache
def message_texts() -> dict[str, MessageText]:
    """The catalogue's table, by code."""
    return read_texts("messages.toml", MessageText)


def text_of_code(code: Private, language: str) -> Private:
    """The words around a code, in the language of who asks for it. English for any language but Chinese."""
    said = message_texts()["code"]
    words = said.zh if language.startswith("zh") else said.en
    return Private(words.format(code=code.text, minutes=CODE_LASTS // timedelta(minutes=1)))


def text_of_notice(notice: Notice) -> Private:
    """The words of a notice, in both languages: it warns the owner of what a thief, or staff, may have done."""
    said = message_texts()[notice.value]
    return Private(said.zh + said.en)
