"""Identity: people, what proves that they are here, merchants, keys, staff, bank accounts; and who may do
what.

Personal data lives in this context only, sealed; everywhere else people are ids.
"""

from wufeng.identity.access import (
    PAGE_RULES,
    RULES,
    Rule,
    decide_access,
    own_between,
    own_merchant,
    own_person,
)
from wufeng.identity.audit.commands import audit
from wufeng.identity.audit.model import Act, act_of
from wufeng.identity.audit.rules import check_reason
from wufeng.identity.authentication import Authenticator
from wufeng.identity.bootstrap import FirstSecrets, bootstrap
from wufeng.identity.callers import Caller, CallerKind
from wufeng.identity.merchants.directory import Merchants
from wufeng.identity.people.commands import CreatePerson, create_people_handler, register
from wufeng.identity.people.model import PersonGuard, PersonStatus, Tier
from wufeng.identity.people.store import lock_people
from wufeng.identity.pins.commands import check_pin
from wufeng.identity.pins.model import PinVerdict
from wufeng.identity.vault import Private, Vault

__all__ = [
    "PAGE_RULES",
    "RULES",
    "Act",
    "Authenticator",
    "Caller",
    "CallerKind",
    "CreatePerson",
    "FirstSecrets",
    "Merchants",
    "PersonGuard",
    "PersonStatus",
    "PinVerdict",
    "Private",
    "Rule",
    "Tier",
    "Vault",
    "act_of",
    "audit",
    "bootstrap",
    "check_pin",
    "check_reason",
    "create_people_handler",
    "decide_access",
    "lock_people",
    "own_between",
    "own_merchant",
    "own_person",
    "register",
]
