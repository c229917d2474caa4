"""Problems: one table of codes, rendered as RFC 9457."""

import pytest
from msgspec import json

from wufeng.base.errors import PROBLEMS, Code, FieldError, Problem, WufengError, invalid_field, not_found
from wufeng.base.problems import PROBLEM_TYPE, problem_body, render_problem

STATUSES = {  # API.md, "Statuses and codes", and HTTP's own for what no route sees
    400: {"malformed", "idempotency_key_missing"},
    401: {"unauthenticated"},
    403: {"forbidden", "confirmation_failed"},
    404: {"not_found"},
    405: {"method_not_allowed"},
    408: {"request_timeout"},
    409: {"order_no_reused", "order_taken", "idempotency_in_progress", "state_conflict"},
    413: {"too_large"},
    415: {"unsupported_media_type"},
    422: {"invalid_field", "idempotency_key_reused"},
    429: {"rate_limited"},
    500: {"internal"},
    503: {"overloaded", "outcome_unknown", "storage_full"},
}


def test_every_code_has_its_status_and_a_title() -> None:
    assert set(PROBLEMS) == set(Code)
    by_status: dict[int, set[str]] = {}
    for code, (status, title) in PROBLEMS.items():
        by_status.setdefault(status, set()).add(code.value)
        assert title and title[0].isupper() and not title.endswith("."), "a title is a short phrase"
    assert by_status == STATUSES


@pytest.mark.parametrize("code", Code)
def test_a_problem_knows_its_status(code: Code) -> None:
    problem = Problem(code, "why")
    assert problem.status == PROBLEMS[code][0]
    assert isinstance(problem, WufengError) and str(problem) == f"{code.value}: why"


def test_the_document() -> None:
    problem = Problem(
        Code.CONFIRMATION_FAILED,
        "The PIN is wrong.",
        errors=(FieldError("/confirmation/proof", "a PIN"),),
        extra={"tries_left": 4},
    )
    assert json.decode(problem_body(problem, "req_1")) == {
        "type": "/problems/confirmation_failed",
        "title": "The confirmation was not accepted",
        "status": 403,
        "code": "confirmation_failed",
        "detail": "The PIN is wrong.",
        "request_id": "req_1",
        "errors": [{"pointer": "/confirmation/proof", "detail": "a PIN"}],
        "tries_left": 4,
    }
    assert PROBLEM_TYPE == "application/problem+json"


def test_a_problem_without_fields_shows_none() -> None:
    document = json.decode(problem_body(Problem(Code.OVERLOADED, retry_after_s=1), "req_1"))
    assert "errors" not in document and document["detail"] == ""


def test_a_problem_may_be_stored_as_an_answer() -> None:
    answer = render_problem(Problem(Code.STATE_CONFLICT, "It is voided."), "req_1")
    assert answer.status == 409 and answer.object_id is None
    assert answer == render_problem(Problem(Code.STATE_CONFLICT, "It is voided."), "req_1"), "the same bytes"


def test_the_two_problems_that_everybody_needs() -> None:
    assert not_found("payment").code is Code.NOT_FOUND and not_found("payment").detail == "No such payment."
    wrong = invalid_field("/amount_minor", "It must be above 0.")
    assert wrong.status == 422 and wrong.errors == (FieldError("/amount_minor", "It must be above 0."),)
