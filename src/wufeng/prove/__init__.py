"""`wufeng prove`: promises under attack, on a scratch copy of the product, each with one figure.

A proof sets a town up, lets a fleet of clients work while something is done to the system, and ends in one final
audit (audit.py). To add one: a file in `catalogue/` that exports `PROOF`.
"""

from wufeng.prove.engine import Engine, Tools
from wufeng.prove.model import Finding, Job, Outcome, Proof, Result, Size
from wufeng.prove.plants import Caught, plant_all
from wufeng.prove.registry import find_proofs, proof_ids
from wufeng.prove.report import Report, render
from wufeng.prove.runner import Leavings, run_proofs

__all__ = [
    "Caught",
    "Engine",
    "Finding",
    "Job",
    "Leavings",
    "Outcome",
    "Proof",
    "Report",
    "Result",
    "Size",
    "Tools",
    "find_proofs",
    "plant_all",
    "proof_ids",
    "render",
    "run_proofs",
]
