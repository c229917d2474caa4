"""Problems as bytes: RFC 9457 with our stable code, the request's id and pointers to the fields at fault."""

import msgspec

from wufeng.base.claims import Answer
from wufeng.base.errors import PROBLEMS, Problem

PROBLEM_TYPE = "application/problem+json"


def problem_body(problem: Problem, request_id: str) -> bytes:
    """The JSON of a problem."""
    status, title = PROBLEMS[problem.code]
    document: dict[str, object] = {
        "type": f"/problems/{problem.code.value}",
        "title": title,
        "status": status,
        "code": problem.code.value,
        "detail": problem.detail,
        "request_id": request_id,
    }
    if problem.errors:
        document["errors"] = problem.errors
    document.update(problem.extra)
    return msgspec.json.encode(document)


def render_problem(problem: Problem, request_id: str) -> Answer:
    """A problem as an answer that may be stored with a key (409 `state_conflict`)."""
    return Answer(problem.status, problem_body(problem, request_id))
