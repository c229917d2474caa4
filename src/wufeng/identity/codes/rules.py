"""What is decided about one-time codes."""

import re
from uuid import UUID

from wufeng.base.errors import Problem, invalid_field
from wufeng.identity.codes.model import CodePurpose, Notice, SignUp
from wufeng.identity.vault import Private

_CODE = re.compile(r"[0-9]{6}", re.ASCII)


def is_delivered(purpose: CodePurpose, owner_id: UUID | None, sign_up: SignUp) -> bool:
    """Whether a code goes out. The caller cannot tell: a code is made, stored and counted in any case."""
    return owner_id is not None or (purpose is CodePurpose.SIGN_IN and sign_up is SignUp.OPEN)


def check_code_form(code: Private, pointer: str = "/code") -> Problem | None:
    """A code has six digits; anything else is not a try."""
    return None if _CODE.fullmatch(code.text) else invalid_field(pointer, "A code has six digits.")


def text_of(code: Private) -> Private:
    """The words around a code."""
    return Private(
        f"【无缝】验证码 {code.text},5 分钟内有效,切勿告诉他人。Your Wufeng code: {code.text} (5 minutes)."
    )


NOTICES = {
    Notice.PHONE_CHANGED: (
        "【无缝】你的账户已更换手机号，此号码不再可用于登录。如非本人操作，请立即冻结账户：/app/lost。"
        "Your Wufeng account has another phone number now. If it was not you, freeze the account: /app/lost."
    ),
    Notice.FROZEN: (
        "【无缝】你的账户已冻结，不能付款和登录。恢复请联系客服。"
        "Your Wufeng account is frozen: nothing is paid, nobody signs in. Ask us to let you in again."
    ),
}
"""The words of messages without a code, in both languages: nobody knows which one the phone's owner reads."""
