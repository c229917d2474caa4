"""What the client raises: a problem that the server told, and an outcome that nobody could tell."""

from collections.abc import Mapping
from typing import Any

import msgspec

from wufeng.base.errors import Code, FieldError, WufengError


class ApiProblem(WufengError):
    """The server has answered with a problem (RFC 9457): definite, and nothing more happens by itself.

    code           one of base.errors.Code; a text that this client does not know yet stays a text
    errors         the fields at fault, with JSON pointers
    retry_after_s  when the server asked to come again
    extra          what else the problem carries, such as `tries_left`
    """

    def __init__(
        self,
        status: int,
        code: Code | str,
        detail: str,
        *,
        errors: tuple[FieldError, ...] = (),
        request_id: str = "",
        retry_after_s: float | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(f"{status} {code}: {detail}" + (f" ({request_id})" if request_id else ""))
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = errors
        self.request_id = request_id
        self.retry_after_s = retry_after_s
        self.extra = dict(extra or {})


class OutcomeUnknown(WufengError):
    """The deadline has passed and nobody has told whether the command took effect.

    Nothing may be believed but this: sending it again with the same key is safe, at any time, and will tell.

    idempotency_key  what to send again; None for a call without a key, which has to be looked up instead
    reason           what came last: a problem's code, or the failure of the connection
    """

    def __init__(self, call: str, idempotency_key: str | None, attempts: int, reason: str) -> None:
        repeat = (
            f"repeat it with the key {idempotency_key}" if idempotency_key else "look whether it took effect"
        )
        super().__init__(f"{call}: unknown after {attempts} attempts ({reason}): {repeat}")
        self.call = call
        self.idempotency_key = idempotency_key
        self.attempts = attempts
        self.reason = reason


_CODES = {code.value: code for code in Code}
_KNOWN = frozenset({"type", "title", "status", "code", "detail", "request_id", "errors"})


def read_problem(status: int, body: bytes, request_id: str, retry_after_s: float | None) -> ApiProblem | None:
    """The problem in an answer; None when the answer is not one of this API (a proxy's page, above all)."""
    try:
        document = msgspec.json.decode(body, type=dict[str, Any])
        code = str(document["code"])
        errors = msgspec.convert(document.get("errors", []), tuple[FieldError, ...])
    except (msgspec.MsgspecError, UnicodeDecodeError, KeyError):
        return None
    return ApiProblem(
        status,
        _CODES.get(code, code),
        str(document.get("detail", "")),
        errors=errors,
        request_id=str(document.get("request_id", request_id)),
        retry_after_s=retry_after_s,
        extra={name: value for name, value in document.items() if name not in _KNOWN},
    )
