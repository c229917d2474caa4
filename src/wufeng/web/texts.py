"""Words and figures as people read them: message catalogues (gettext), dates and numbers through CLDR.

The English sentence in a template is the message; `locale/zh/*.po` holds the Chinese one. A catalogue is read as it
is written: no compiled copy that could be older.
"""

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from gettext import NullTranslations
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, format_time
from babel.messages.catalog import Message
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, get_currency_precision, get_currency_symbol
from markupsafe import Markup

from wufeng.base.rates import percent_text, year_text

LANGUAGES = ("zh", "en")
LOCALES = {"zh": "zh_CN", "en": "en_GB"}
HTML_LANGUAGES = {"zh": "zh-CN", "en": "en"}

_CACHE = 1 << 14


class Translations(NullTranslations):
    """One language's messages; one that is missing is shown as it stands in the template."""

    def __init__(self, messages: dict[str, str | tuple[str, ...]]) -> None:
        super().__init__()
        self._messages = messages

    def gettext(self, message: str) -> str:
        """The message in this language."""
        found = self._messages.get(message, message)
        return found if isinstance(found, str) else found[0]

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        """The message for so many. Chinese has one form."""
        found = self._messages.get(msgid1)
        if found is None:
            return msgid1 if n == 1 else msgid2
        return found if isinstance(found, str) else found[min(n != 1, len(found) - 1)]


def catalogue_messages(language: str) -> Iterator[tuple[str, Message]]:
    """Every message of a language's catalogues with the name of its file."""
    folder = resources.files("wufeng.web") / "locale" / language
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if file.name.endswith(".po"):
            with file.open("rb") as source:
                for message in read_po(source, locale=LOCALES[language]):
                    if message.id:
                        yield file.name, message


@lru_cache(maxsize=len(LANGUAGES))
def translations(language: str) -> Translations:
    """The messages of a language. English is what the templates say."""
    if language == "en":
        return Translations({})
    messages: dict[str, str | tuple[str, ...]] = {}
    for _, message in catalogue_messages(language):
        key = message.id if isinstance(message.id, str) else message.id[0]
        text = message.string if isinstance(message.string, str) else tuple(message.string or ())
        if text and (isinstance(text, str) or text[0]):
            messages[key] = text
    return Translations(messages)


class Formats:
    """Amounts, rates and dates in one language and time zone, remembered once made: pages repeat themselves."""

    def __init__(self, language: str, time_zone: str) -> None:
        self.language = language
        self.locale = LOCALES[language]
        self.time_zone = time_zone

    def money(self, minor: int, currency: str) -> str:
        """An amount with its sign of currency: ¥1,299.00; a negative one with a real minus."""
        return _money(minor, currency, self.locale)

    def number(self, minor: int, currency: str) -> str:
        """An amount without its currency."""
        return _number(minor, currency, self.locale)

    def symbol(self, currency: str) -> str:
        """The sign of a currency."""
        return _symbol(currency)

    def percent(self, ppm: int) -> str:
        """A yearly rate: 14.94%."""
        return year_text(ppm)

    def daily(self, ppm: int) -> str:
        """A daily rate, without idle zeros: 0.05%."""
        return percent_text(ppm)

    def share(self, ppm: int) -> str:
        """A part of a whole: 70%."""
        return percent_text(ppm)

    def count(self, number: int) -> str:
        """A whole number, grouped."""
        return format_decimal(number, locale=self.locale)

    def day(self, on: date) -> str:
        """A date without its year: 10 Dec, 12月10日."""
        return _day(on, self.locale)

    def long_day(self, on: date) -> str:
        """A date with its year."""
        return _long_day(on, self.locale)

    def day_of(self, at: datetime) -> str:
        """The date of an instant, in the book's time zone, with its year."""
        return _long_day(at.astimezone(ZoneInfo(self.time_zone)).date(), self.locale)

    def moment(self, at: datetime) -> str:
        """An instant to the minute, in the book's time zone."""
        return _moment(at, self.locale, self.time_zone)

    def clock_time(self, at: datetime) -> str:
        """The time of day of an instant, in the book's time zone."""
        return _time(at, self.locale, self.time_zone)


@lru_cache(maxsize=_CACHE)
def _number(minor: int, currency: str, locale: str) -> str:
    places = get_currency_precision(currency)
    value = Decimal(abs(minor)).scaleb(-places)
    pattern = "#,##0" + ("." + "0" * places if places else "")
    text: str = format_decimal(value, pattern, locale=locale)
    return f"−{text}" if minor < 0 else text


@lru_cache(maxsize=64)
def _symbol(currency: str) -> str:
    """The currency's own sign (¥, not CN¥): an installation's book has one currency."""
    symbol: str = get_currency_symbol(currency, _HOME.get(currency, "en"))
    return symbol


_HOME = {"CNY": "zh_CN", "JPY": "ja_JP", "USD": "en_US", "HKD": "zh_HK", "SGD": "en_SG", "AUD": "en_AU"}


@lru_cache(maxsize=_CACHE)
def _money(minor: int, currency: str, locale: str) -> str:
    sign = "−" if minor < 0 else ""
    return f"{sign}{_symbol(currency)}{_number(abs(minor), currency, locale)}"


@lru_cache(maxsize=_CACHE)
def _day(on: date, locale: str) -> str:
    return format_date(on, "M月d日" if locale.startswith("zh") else "d MMM", locale=locale)


@lru_cache(maxsize=_CACHE)
def _long_day(on: date, locale: str) -> str:
    return format_date(on, "y年M月d日" if locale.startswith("zh") else "d MMM y", locale=locale)


@lru_cache(maxsize=_CACHE)
def _moment(at: datetime, locale: str, time_zone: str) -> str:
    pattern = "M月d日 HH:mm" if locale.startswith("zh") else "d MMM, HH:mm"
    return format_datetime(at, pattern, tzinfo=ZoneInfo(time_zone), locale=locale)


@lru_cache(maxsize=_CACHE)
def _time(at: datetime, locale: str, time_zone: str) -> str:
    return format_time(at, "HH:mm:ss", tzinfo=ZoneInfo(time_zone), locale=locale)


def minor_of(text: str, currency: str) -> int | None:
    """An amount as a person types it (1299, 1,299.00, ￥12.5) in minor units; None when it is none, or too fine."""
    cleaned = text.strip().translate(_TYPED).lstrip("¥￥").replace(",", "").replace(" ", "")
    whole, dot, part = cleaned.partition(".")
    places = get_currency_precision(currency)
    digits = (whole + part).isascii() and (whole or "0").isdigit() and (part or "0").isdigit()
    if not cleaned or not digits or len(part) > places or len(whole) > 12 or (dot and not (whole or part)):
        return None
    return int(whole + part.ljust(places, "0"))


_TYPED = str.maketrans("０１２３４５６７８９．，", "0123456789.,")


def as_markup(value: Any) -> Markup:
    """A text that is markup already: an icon or a QR code of our own making."""
    return Markup(value)  # noqa: S704
