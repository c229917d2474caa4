"""What is decided about one-time codes."""

import re
from uuid import UUID

from wufeng.base.errors import Problem, invalid_field
from wufeng.identity.codes.model import CodePurpose, SignUp
from wufeng.identity.vault import Private

_CODE = re.compile(r"[0-9]{6}", re.ASCII)


def is_delivered(purpose: CodePurpose, owner_id: UUID | None, sign_up: SignUp) -> bool:
    """Whether a code goes out. The caller cannot tell: a code is made, stored and counted in any case."""
    return owner_id is not None or (purpose is CodePurpose.SIGN_IN and sign_up is SignUp.OPEN)


def check_code_form(code: Private, pointer: str = "/code") -> Problem | None:
    """A code has six digits; anything else is not a try."""
    return None if _CODE.fullmatch(code.text) else invalid_field(pointer, "A code has six digits.")
