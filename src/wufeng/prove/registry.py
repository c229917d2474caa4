"""Which proofs there are: every module of `catalogue` holds one as `PROOF`. To add one is to add its file."""

import importlib
import pkgutil
from collections.abc import Sequence

from wufeng.base.errors import ConfigurationError
from wufeng.prove import catalogue
from wufeng.prove.model import Proof


def proof_ids() -> list[str]:
    """The ids of all proofs, as RELIABILITY's catalogue writes them: I1, F1."""
    return sorted(module.name.upper() for module in pkgutil.iter_modules(catalogue.__path__))


def find_proofs(ids: Sequence[str]) -> list[Proof]:
    """Proofs by id, in the order asked; all of them for none. Raises ConfigurationError for an unknown id."""
    known = proof_ids()
    wanted = [id_.upper() for id_ in ids] or known
    unknown = [id_ for id_ in wanted if id_ not in known]
    if unknown:
        raise ConfigurationError(f"there is no proof {', '.join(unknown)}; there are {', '.join(known)}")
    return [_load(id_) for id_ in wanted]


def _load(id_: str) -> Proof:
    module = importlib.import_module(f"{catalogue.__name__}.{id_.lower()}")
    proof: Proof = module.PROOF
    assert proof.id == id_, f"catalogue/{id_.lower()}.py holds {proof.id}"
    return proof
