"""How hard tests look: `make test` looks at each promise; WUFENG_THOROUGH=1, for the night, looks many times longer."""

import os

THOROUGH = os.environ.get("WUFENG_THOROUGH") == "1"


def examples(quick: int, thorough: int) -> int:
    """How many examples Hypothesis tries: so many in `make test`, so many in the night."""
    assert quick < thorough, "the night looks longer"
    return thorough if THOROUGH else quick
