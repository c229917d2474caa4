"""The house of the bank's tests serves here too."""

import importlib.util
from pathlib import Path

_spec = importlib.util.spec_from_file_location(
    "bank_house", Path(__file__).parents[1] / "bank" / "conftest.py"
)
assert _spec is not None and _spec.loader is not None
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)
house = _module.house
template = _module.template
