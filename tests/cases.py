"""Many small cases asked of one database: where each of them leaves everything as it was, as what is refused does.

`parametrize` makes a database, an application and its people for every case, and looks at the ledger after each: a
fifth of a second for a request of a millisecond.
"""

import functools
import inspect
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

Test = Callable[..., Awaitable[None]]


def cases(names: str | tuple[str, ...], values: Iterable[Any]) -> Callable[[Test], Test]:
    """Like `pytest.mark.parametrize`, but as one test: all cases are tried, and every one that fails is named."""
    asked = tuple(name.strip() for name in names.split(",")) if isinstance(names, str) else names
    table = [dict(zip(asked, value if len(asked) > 1 else (value,), strict=True)) for value in values]
    assert table, "no case is no test"

    def decorate(test: Test) -> Test:
        @functools.wraps(test)
        async def all_of_them(**fixtures: Any) -> None:
            failed = [error for case in table if (error := await _failure(test, fixtures, case))]
            if failed:
                raise ExceptionGroup(f"{len(failed)} of {len(table)} cases", failed)

        signature = inspect.signature(test)
        kept = [one for name, one in signature.parameters.items() if name not in asked]
        all_of_them.__signature__ = signature.replace(parameters=kept)  # type: ignore[attr-defined]
        return all_of_them

    return decorate


async def _failure(test: Test, fixtures: dict[str, Any], case: dict[str, Any]) -> Exception | None:
    try:
        await test(**fixtures, **case)
    except Exception as error:
        error.add_note(f"in the case {case}")
        return error
    return None
