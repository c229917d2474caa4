"""Compliance: the gates that the law sets. What an account may pay, and by which kind of code."""

from wufeng.compliance.limits.model import Breach, CodeKind, Factors, LimitPolicy, Spend, Sums
from wufeng.compliance.limits.policy import read_limit_policy, shipped_limit_policy
from wufeng.compliance.limits.rules import fold_release
from wufeng.compliance.limits.store import load_sums, store_sums

__all__ = [
    "Breach",
    "CodeKind",
    "Factors",
    "LimitPolicy",
    "Spend",
    "Sums",
    "fold_release",
    "load_sums",
    "read_limit_policy",
    "shipped_limit_policy",
    "store_sums",
]
