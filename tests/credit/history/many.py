"""Many random histories, each lived and then told otherwise, beside the oracle: `python -m tests.credit.history.many`.

Prints how many there were, what happened in them, and the seconds they took. Ends at the first that differs, with it.
"""

import argparse
import sys
import time
from collections import Counter

from hypothesis import HealthCheck, Phase, given, note, seed, settings
from hypothesis import strategies as st
from tests.credit.history.lives import Afterwards, Plot, afterwards, lived, plots, told
from tests.credit.history.test_history_oracle import live_beside_the_oracle, retell_beside_the_oracle

EVERY = 1_000


def run(histories: int, first: int) -> Counter[str]:
    """Compare so many histories. first: the seed; another one gives others. Raises where engine and oracle differ."""
    seen: Counter[str] = Counter()

    @seed(first)
    @settings(
        max_examples=histories,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(plots(), st.lists(afterwards(), min_size=1, max_size=3))
    def compare(plot: Plot, changes: list[Afterwards]) -> None:
        note(told(plot) + "\n" + "\n".join(map(str, changes)))
        live_beside_the_oracle(plot)
        retell_beside_the_oracle(plot, changes)
        seen["histories"] += 1
        seen.update({type(event).__name__ for event in lived(plot).events})
        if seen["histories"] % EVERY == 0:
            sys.stderr.write(f"{seen['histories']:>6} histories\n")

    compare()
    return seen


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description="Compare random histories with the oracle.")
    parser.add_argument("histories", type=int, nargs="?", default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    began = time.monotonic()
    seen = run(asked.histories, asked.seed)
    sys.stdout.write(f"{seen.pop('histories')} histories agree, in {time.monotonic() - began:.0f} s\n")
    sys.stdout.write(", ".join(f"{kind} in {count}" for kind, count in sorted(seen.items())) + "\n")


if __name__ == "__main__":
    main()
