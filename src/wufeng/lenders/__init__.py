"""Lenders: who funds draws, in which shares, and their accounts."""

from wufeng.lenders.commands import register_lenders
from wufeng.lenders.model import WHOLE_PPM, Lender, Shares, lender_id, shares_of
from wufeng.lenders.store import load_lenders

__all__ = [
    "WHOLE_PPM",
    "Lender",
    "Shares",
    "lender_id",
    "load_lenders",
    "register_lenders",
    "shares_of",
]
