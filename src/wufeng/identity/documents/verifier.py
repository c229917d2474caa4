"""The document seam: who is asked outside whether somebody is who they say, and what answers in test books."""

from typing import Protocol

from wufeng.identity.documents.model import Asked, OutsideCheck


class NoAnswer(Exception):
    """The outside has not answered; it is asked again later."""


class Verifier(Protocol):
    """Asks outside. Test books have `TestVerifier`; a live book needs the operator's own adapter.

    It is called with no transaction open, and may be called again for the same person and document.
    """

    async def check(self, asked: Asked) -> frozenset[OutsideCheck]:
        """The checks that the person passed, each counted once. Raises NoAnswer when it is to be asked again."""
        ...


class TestVerifier:
    """Confirms everybody, by the three digits before the check digit of a resident number (of others: nothing).

    99x refuses: 990 by nobody confirmed, 991 never answers, 992 confirmed by one alone; 995 confirmed by all.
    """

    __test__ = False  # it is no test, whatever its name says

    async def check(self, asked: Asked) -> frozenset[OutsideCheck]:
        """What the number says; two checks beside the phone otherwise."""
        number = asked.claimed.document.text
        match number[14:17] if len(number) == 18 else "":
            case "990":
                return frozenset()
            case "991":
                raise NoAnswer
            case "992":
                return frozenset({OutsideCheck.PHONE_REGISTER})
            case "995":
                return frozenset(OutsideCheck) - {OutsideCheck.PHONE}
            case _:
                return frozenset({OutsideCheck.IDENTITY_REGISTER, OutsideCheck.PHONE_REGISTER})
