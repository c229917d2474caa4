"""The risk engine: whether a payment may be made, from what, and why not."""

from wufeng.risk.commands import add_to_list, remove_from_list
from wufeng.risk.policy import Policies, publish, read_policy, shipped_policies, shipped_policy
from wufeng.risk.rules import in_order, lacks_confirmation
from wufeng.risk.store import Known, list_members, load_decision, load_known, record_decisions
from wufeng.risk.texts import hide_fraud_reasons, view_reasons
from wufeng.risk.views import DecisionView, view_for_person, view_for_staff

__all__ = [
    "DecisionView",
    "Known",
    "Policies",
    "add_to_list",
    "hide_fraud_reasons",
    "in_order",
    "lacks_confirmation",
    "list_members",
    "load_decision",
    "load_known",
    "publish",
    "read_policy",
    "record_decisions",
    "remove_from_list",
    "shipped_policies",
    "shipped_policy",
    "view_for_person",
    "view_for_staff",
    "view_reasons",
]
