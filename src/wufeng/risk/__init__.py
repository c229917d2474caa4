"""The risk engine: whether a payment may be made, from what, and why not."""

from wufeng.risk.policy import Policies, publish, read_policy, shipped_policies, shipped_policy
from wufeng.risk.rules import in_order, needs_confirmation
from wufeng.risk.store import Known, load_known, record_decisions
from wufeng.risk.texts import hide_fraud_reasons, view_reasons

__all__ = [
    "Known",
    "Policies",
    "hide_fraud_reasons",
    "in_order",
    "load_known",
    "needs_confirmation",
    "publish",
    "read_policy",
    "record_decisions",
    "shipped_policies",
    "shipped_policy",
    "view_reasons",
]
