"""The table of access: what each kind of caller may ask, decided from the rule alone."""

from datetime import time
from itertools import product
from uuid import UUID

import pytest

from wufeng.base.books import Book, Mode
from wufeng.base.errors import Code, Problem
from wufeng.identity.access import (
    ALL_STAFF,
    DECIDING,
    RULES,
    WORKING,
    Reach,
    Rule,
    decide_access,
    own_between,
    own_merchant,
    own_person,
)
from wufeng.identity.callers import Caller, CallerKind
from wufeng.identity.keys.model import SCOPES, KeyKind, Scope
from wufeng.identity.sessions.model import AuthLevel
from wufeng.identity.staff.model import Role

A, B = UUID(int=0xA), UUID(int=0xB)


def book_of(mode: Mode) -> Book:
    return Book(1, "main", mode, "CNY", "Asia/Shanghai", time(0), 0, (0,), (354,))


def person(level: AuthLevel = AuthLevel.CODE, id_: UUID = A, mode: Mode = Mode.TEST) -> Caller:
    return Caller(
        kind=CallerKind.PERSON, id=id_, credential_id=B, book=book_of(mode), person_id=id_, auth_level=level
    )


def merchant(*scopes: Scope, id_: UUID = A, mode: Mode = Mode.TEST) -> Caller:
    return Caller(
        kind=CallerKind.MERCHANT, id=id_, credential_id=B, book=book_of(mode), merchant_id=id_,
        scopes=frozenset(scopes),
    )  # fmt: skip


def platform(*scopes: Scope, mode: Mode = Mode.TEST) -> Caller:
    return Caller(
        kind=CallerKind.PLATFORM, id=B, credential_id=B, book=book_of(mode), scopes=frozenset(scopes)
    )


def staff(role: Role, mode: Mode = Mode.TEST) -> Caller:
    return Caller(kind=CallerKind.STAFF, id=B, credential_id=B, book=book_of(mode), role=role)


FOR_PEOPLE = Rule(person=AuthLevel.CODE)
FOR_PINS = Rule(person=AuthLevel.PIN)
FOR_SHOPS = Rule(merchant=Scope.ORDERS, platform=Scope.PAYMENTS)
FOR_BOSSES = Rule(staff=DECIDING)
FOR_ALL = Rule(reach=Reach(public=True))
FOR_TESTS = Rule(platform=Scope.CLOCK, staff=WORKING, reach=Reach(only_in=Mode.TEST))


@pytest.mark.parametrize(
    ("rule", "caller", "code"),
    [
        (FOR_ALL, None, None),
        (FOR_ALL, person(), None),
        (FOR_PEOPLE, None, Code.UNAUTHENTICATED),
        (FOR_PEOPLE, person(), None),
        (FOR_PEOPLE, person(AuthLevel.PIN), None),
        (FOR_PEOPLE, merchant(*Scope), Code.FORBIDDEN),
        (FOR_PEOPLE, platform(*Scope), Code.FORBIDDEN),
        (FOR_PEOPLE, staff(Role.ADMIN), Code.FORBIDDEN),
        (FOR_PINS, person(), Code.FORBIDDEN),
        (FOR_PINS, person(AuthLevel.PIN), None),
        (FOR_SHOPS, merchant(Scope.ORDERS), None),
        (FOR_SHOPS, merchant(Scope.PAYMENTS, Scope.READ), Code.FORBIDDEN),
        (FOR_SHOPS, platform(Scope.PAYMENTS), None),
        (FOR_SHOPS, platform(Scope.ORDERS), Code.FORBIDDEN),  # the other kind's scope
        (FOR_SHOPS, merchant(), Code.FORBIDDEN),
        (FOR_SHOPS, person(AuthLevel.PIN), Code.FORBIDDEN),
        (FOR_BOSSES, staff(Role.ANALYST), Code.FORBIDDEN),
        (FOR_BOSSES, staff(Role.OPERATOR), Code.FORBIDDEN),
        (FOR_BOSSES, staff(Role.SUPERVISOR), None),
        (FOR_BOSSES, staff(Role.ADMIN), None),
        (FOR_TESTS, platform(Scope.CLOCK), None),
        (FOR_TESTS, platform(Scope.CLOCK, mode=Mode.LIVE), Code.NOT_FOUND),
        (FOR_TESTS, platform(mode=Mode.LIVE), Code.NOT_FOUND),  # nor is it told that it might be allowed
        (FOR_TESTS, staff(Role.ADMIN, mode=Mode.LIVE), Code.NOT_FOUND),
        (FOR_TESTS, None, Code.UNAUTHENTICATED),
        (Rule(), staff(Role.ADMIN), Code.FORBIDDEN),
        (Rule(), person(AuthLevel.PIN), Code.FORBIDDEN),
    ],
)
def test_decide_access(rule: Rule, caller: Caller | None, code: Code | None) -> None:
    problem = decide_access(rule, caller)
    assert (problem.code if problem else None) is code


def test_a_level_without_a_session_is_none() -> None:
    odd = Caller(kind=CallerKind.PERSON, id=A, credential_id=B, book=book_of(Mode.TEST), person_id=A)
    problem = decide_access(FOR_PEOPLE, odd)
    assert problem is not None and problem.code is Code.FORBIDDEN


OWNING = {
    "person A": person(),
    "person B": person(id_=B),
    "merchant A": merchant(),
    "merchant B": merchant(id_=B),
    "platform": platform(),
    "staff": staff(Role.ANALYST),
}


@pytest.mark.parametrize(
    ("own", "sees"),
    [
        (lambda caller: own_person(caller, A), {"person A", "platform", "staff"}),
        (lambda caller: own_merchant(caller, A), {"merchant A", "platform", "staff"}),
        (lambda caller: own_between(caller, A, B, "x"), {"person A", "merchant B", "platform", "staff"}),
        (lambda caller: own_person(caller, None), {"platform", "staff"}),
        (lambda caller: own_merchant(caller, None), {"platform", "staff"}),
        (lambda caller: own_between(caller, None, None, "x"), {"platform", "staff"}),
    ],
)
def test_whose_objects_a_caller_sees(own: object, sees: set[str]) -> None:
    """A person whose id equals a merchant's is still no merchant."""
    for name, caller in OWNING.items():
        if name in sees:
            own(caller)  # type: ignore[operator]
            continue
        with pytest.raises(Problem, match="not_found"):
            own(caller)  # type: ignore[operator]


def test_no_rule_asks_for_what_nobody_has() -> None:
    """Each rule lets somebody in, and names only scopes that keys of the kind can have."""
    for name, rule in RULES.items():
        if rule.merchant is not None:
            assert rule.merchant in SCOPES[KeyKind.MERCHANT], name
        if rule.platform is not None:
            assert rule.platform in SCOPES[KeyKind.PLATFORM], name
        assert rule.reach.public == (rule == Rule(reach=Reach(public=True))), f"{name}: public and a caller"
        assert rule.reach.public or rule.person or rule.merchant or rule.platform or rule.staff, name


def test_analysts_change_nothing() -> None:
    reading = ("get_", "list_", "explain_")
    allowed = {name for name, rule in RULES.items() if Role.ANALYST in rule.staff}
    assert {name for name in allowed if not name.startswith(reading)} == {"delete_staff_session"}


def test_only_the_owner_confirms_and_proves() -> None:
    """Nobody but a person says yes to a payment, sets a PIN or moves their own money out."""
    for name in ("confirm_payment", "set_pin", "create_withdrawal", "confirm_receipt"):
        rule = RULES[name]
        assert rule.person is not None and not (rule.merchant or rule.platform or rule.staff), name


def test_all_roles_and_scopes_are_used() -> None:
    used = {rule.merchant for rule in RULES.values()} | {rule.platform for rule in RULES.values()}
    assert used - {None} == set(Scope)
    assert set(Role) == ALL_STAFF
    for rule, caller in product(RULES.values(), (platform(*Scope), merchant(*Scope))):
        problem = decide_access(rule, caller)
        assert problem is None or problem.code is Code.FORBIDDEN
