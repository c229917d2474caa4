"""What stands in our own codes: whatever a merchant is called, its code is sound."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wufeng.base.errors import Problem
from wufeng.base.ids import Prefix, encode
from wufeng.base.money import CURRENCY_EXPONENTS, MINOR_MAX
from wufeng.identity.merchants.model import FeePlan, Merchant, MerchantStatus, Scene
from wufeng.payments.merchant_codes import emv
from wufeng.payments.merchant_codes.rules import (
    CATEGORIES,
    SCHEME,
    amount_to_pay,
    dynamic_payload,
    static_payload,
)

IDS = st.uuids(version=None)
MERCHANT = UUID(int=7)


def merchant_of(name: str, scene: Scene = Scene.CATERING, id_: UUID = MERCHANT) -> Merchant:
    at = datetime(2026, 9, 3, tzinfo=UTC)
    return Merchant(
        id=id_,
        book_id=1,
        name=name,
        scene=scene,
        fee_plan=FeePlan(0),
        status=MerchantStatus.ACTIVE,
        created_at=at,
    )


def test_every_scene_has_its_category() -> None:
    assert set(CATEGORIES) == set(Scene)
    assert all(len(code) == 4 and code.isdigit() for code in CATEGORIES.values())


def test_a_chinese_name_stands_in_its_own_language() -> None:
    payload = static_payload(merchant_of("清风茶铺"), UUID(int=1), "1 号柜台", 12_80, "CNY", "Asia/Shanghai")
    said = {
        id_: payload.value(id_) for id_ in ("01", "52", "54", "58", "59", "60", "62.07", "64.00", "64.01")
    }
    assert said == {
        "01": "11", "52": "5812", "54": "12.80", "58": "CN", "59": "MERCHANT", "60": "SHANGHAI", "62.07": "1",
        "64.00": "ZH", "64.01": "清风茶铺",
    }  # fmt: skip
    account = payload.account(SCHEME)
    assert account is not None and account.id == "26"
    assert payload.value("26.02") == encode(Prefix.MERCHANT_CODE, UUID(int=1))
    assert payload.account("com.example") is None


@given(
    name=st.text(max_size=60),
    label=st.text(max_size=64),
    amount_minor=st.none() | st.integers(1, MINOR_MAX),
    currency=st.sampled_from(sorted(CURRENCY_EXPONENTS)),
    scene=st.sampled_from(list(Scene)),
    zone=st.sampled_from(["Asia/Shanghai", "America/Argentina/Buenos_Aires", "UTC", "Europe/Isle_of_Man"]),
    id_=IDS,
)
def test_whatever_a_merchant_is_called_its_code_is_sound(
    name: str, label: str, amount_minor: int | None, currency: str, scene: Scene, zone: str, id_: UUID
) -> None:
    merchant = merchant_of(name, scene, id_)
    static = static_payload(merchant, id_, label, amount_minor, currency, zone)
    dynamic = dynamic_payload(merchant, id_, "A-1001", amount_minor or 1, currency, zone)
    for payload, wanted in ((static, amount_minor), (dynamic, amount_minor or 1)):
        text = emv.build(payload)
        assert len(text) <= emv.TEXT_MAX
        assert emv.parse(text).amount_minor in (None, wanted)
        if wanted is not None and wanted < 10**10:
            assert emv.parse(text).amount_minor == wanted


@pytest.mark.parametrize(
    ("fixed", "asked", "amount"),
    [(None, 5, 5), (5, None, 5), (5, 5, 5), (5, 4, None), (None, None, None)],
)
def test_the_amount_is_the_codes_or_the_payers(
    fixed: int | None, asked: int | None, amount: int | None
) -> None:
    answer = amount_to_pay(fixed, asked)
    assert isinstance(answer, Problem) if amount is None else answer == amount
