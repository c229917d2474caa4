"""The one hierarchy of errors and the one table of problem codes.

A decline is an answer with reasons, a problem is a request that cannot be answered, a bug is an assertion.
The code of a problem is a promise to callers; its title and the class names are not.
"""

from enum import StrEnum

from msgspec import Struct


class Code(StrEnum):
    """Stable codes of problems (API.md, conventions)."""

    MALFORMED = "malformed"
    IDEMPOTENCY_KEY_MISSING = "idempotency_key_missing"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    CONFIRMATION_FAILED = "confirmation_failed"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    REQUEST_TIMEOUT = "request_timeout"
    ORDER_NO_REUSED = "order_no_reused"
    ORDER_TAKEN = "order_taken"
    IDEMPOTENCY_IN_PROGRESS = "idempotency_in_progress"
    STATE_CONFLICT = "state_conflict"
    TOO_LARGE = "too_large"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    INVALID_FIELD = "invalid_field"
    IDEMPOTENCY_KEY_REUSED = "idempotency_key_reused"
    RATE_LIMITED = "rate_limited"
    INTERNAL = "internal"
    OVERLOADED = "overloaded"
    OUTCOME_UNKNOWN = "outcome_unknown"
    STORAGE_FULL = "storage_full"


PROBLEMS: dict[Code, tuple[int, str]] = {
    Code.MALFORMED: (400, "The request could not be read"),
    Code.IDEMPOTENCY_KEY_MISSING: (400, "This call needs an Idempotency-Key header"),
    Code.UNAUTHENTICATED: (401, "The request carries no valid credential"),
    Code.FORBIDDEN: (403, "This caller may not do that"),
    Code.CONFIRMATION_FAILED: (403, "The confirmation was not accepted"),
    Code.NOT_FOUND: (404, "There is no such object"),
    Code.METHOD_NOT_ALLOWED: (405, "This address does not take that method"),
    Code.REQUEST_TIMEOUT: (408, "The request was not sent in time; nothing was done"),
    Code.ORDER_NO_REUSED: (409, "This order number names another order"),
    Code.ORDER_TAKEN: (409, "This order is being paid or has been paid"),
    Code.IDEMPOTENCY_IN_PROGRESS: (409, "A request with this key is still running"),
    Code.STATE_CONFLICT: (409, "The object's state does not allow that"),
    Code.TOO_LARGE: (413, "The request is too large"),
    Code.UNSUPPORTED_MEDIA_TYPE: (415, "The request's media type is not supported"),
    Code.INVALID_FIELD: (422, "A field of the request is not acceptable"),
    Code.IDEMPOTENCY_KEY_REUSED: (422, "This key was used for another request"),
    Code.RATE_LIMITED: (429, "Too many requests from this caller"),
    Code.INTERNAL: (500, "The server made a mistake; whether the command took effect is unknown"),
    Code.OVERLOADED: (503, "The server is busy; nothing was done"),
    Code.OUTCOME_UNKNOWN: (503, "The outcome is not known yet; repeat the request with the same key"),
    Code.STORAGE_FULL: (503, "The server cannot write; nothing was done"),
}
"""Status and title of each code. docs/api.md holds the same table; a test compares the two."""


class FieldError(Struct, frozen=True):
    """One unacceptable field: a JSON pointer into the request's body (or a parameter's name) and what to do."""

    pointer: str
    detail: str


class WufengError(Exception):
    """Everything that this project raises on purpose."""


class ConfigurationError(WufengError):
    """The installation is set up wrongly. The message says what to change."""


class Problem(WufengError):
    """A request that cannot be answered, rendered as RFC 9457 at the border only."""

    def __init__(
        self,
        code: Code,
        detail: str = "",
        *,
        errors: tuple[FieldError, ...] = (),
        retry_after_s: int | None = None,
        extra: dict[str, int | str] | None = None,
    ) -> None:
        super().__init__(f"{code.value}: {detail}")
        self.code = code
        self.detail = detail
        self.errors = errors
        self.retry_after_s = retry_after_s
        self.extra = extra or {}

    @property
    def status(self) -> int:
        """The HTTP status of this problem's code."""
        return PROBLEMS[self.code][0]


def not_found(what: str) -> Problem:
    """The answer for an absent object and for another caller's: the two cannot be told apart."""
    return Problem(Code.NOT_FOUND, f"No such {what}.")


def invalid_field(pointer: str, detail: str) -> Problem:
    """One field of the request is not acceptable; `pointer` is a JSON pointer such as /amount_minor."""
    return Problem(Code.INVALID_FIELD, detail, errors=(FieldError(pointer, detail),))
