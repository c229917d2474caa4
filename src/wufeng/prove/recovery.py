"""How crashes are told: kills, payments, what was lost or doubled, and how soon the service was back."""

from collections import Counter
from collections.abc import Sequence
from statistics import median

from wufeng.prove.audit import Audited
from wufeng.prove.faulting import Kill
from wufeng.prove.fleet import Log
from wufeng.prove.model import Finding, Outcome


def crash_outcome(kills: Sequence[Kill], log: Log, audited: Audited) -> Outcome:
    """The outcome of a proof that kills."""
    recoveries = [kill.recovery_s for kill in kills if kill.recovery_s is not None]
    stuck = [
        Finding("recovery", f"nobody was answered after kill {number} ({kill.what})")
        for number, kill in enumerate(kills, 1)
        if kill.recovery_s is None
    ]
    if log.seen["500"]:
        stuck.append(
            Finding(
                "server_error", f"{log.seen['500']} answers were 500: a crash is no mistake of the server's"
            )
        )
    p50_s, max_s = (median(recoveries), max(recoveries)) if recoveries else (0.0, 0.0)
    by_kind = Counter(f"kills_{_name(kill)}" for kill in kills)
    slowest = {
        f"recovery_max_s_{_name(kill)}": round(kill.recovery_s, 2)
        for kill in sorted(kills, key=lambda kill: kill.recovery_s or 0.0)
        if kill.recovery_s is not None
    }
    counts: dict[str, int | float] = {
        **audited.counts,
        **by_kind,
        **slowest,
        "kills": len(kills),
        "sends": log.seen["sent"],
        "connections_lost": log.seen["lost"],
        "refused_or_unknown": log.seen["503"],
        "server_errors": log.seen["500"],
        "recovery_p50_s": round(p50_s, 2),
        "recovery_max_s": round(max_s, 2),
    }
    figure = (
        f"{len(kills)} kills, {audited.counts['payments']:,} payments, lost {audited.lost}, "
        f"doubled {audited.doubled}, recovery p50 {p50_s:.2f} s, max {max_s:.2f} s"
    )
    return Outcome(counts, figure, (*stuck, *audited.findings))


def _name(kill: Kill) -> str:
    return kill.what.replace(" ", "_")
