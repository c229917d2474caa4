"""Reasons as people read them, from the catalogue."""

from functools import cache

import msgspec
from msgspec import Struct

from wufeng.base.texts import read_texts
from wufeng.risk.model import FRAUD_REASONS, Reason

HIDDEN_FROM_MERCHANTS = "declined_by_risk"


class ReasonText(Struct, frozen=True, forbid_unknown_fields=True):
    """The adverse action code of a reason (RISK.md 1.4) and its text in both languages."""

    adverse_action: str
    zh: str
    en: str


class ReasonView(Struct, frozen=True):
    """One reason at the border."""

    code: str
    adverse_action: str
    text: str


@cache
def reason_texts() -> dict[str, ReasonText]:
    """The catalogue's table, by code."""
    return read_texts("reasons.toml", ReasonText)


def view_reasons(reasons: tuple[Reason, ...], language: str, *, for_merchant: bool) -> tuple[ReasonView, ...]:
    """Reasons for one reader, in order. A merchant sees all fraud reasons as one, `declined_by_risk`."""
    views: list[ReasonView] = []
    for reason in reasons:
        code = HIDDEN_FROM_MERCHANTS if for_merchant and reason in FRAUD_REASONS else reason.value
        text = reason_texts()[code]
        view = ReasonView(code, text.adverse_action, text.zh if language.startswith("zh") else text.en)
        if view not in views:
            views.append(view)
    return tuple(views)


def hide_fraud_reasons(body: bytes) -> bytes:
    """A payment's JSON as a merchant reads it: fraud reasons become one, the wording in the language they are in."""
    document = msgspec.json.decode(body)
    hidden = {reason.value for reason in FRAUD_REASONS}
    if not any(reason["code"] in hidden for reason in document["reasons"]):
        return body
    text = reason_texts()[HIDDEN_FROM_MERCHANTS]
    views: list[object] = []
    for reason in document["reasons"]:
        if reason["code"] in hidden:
            zh = reason["text"] == reason_texts()[reason["code"]].zh
            view: object = {
                "code": HIDDEN_FROM_MERCHANTS,
                "adverse_action": text.adverse_action,
                "text": text.zh if zh else text.en,
            }
        else:
            view = reason
        if view not in views:
            views.append(view)
    document["reasons"] = views
    return msgspec.json.encode(document)
