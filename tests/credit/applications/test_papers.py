"""The papers of every shipped product: sums hold, the dearest way is told, and the bytes are what is signed."""

import hashlib
from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from wufeng.base.rates import year_text
from wufeng.credit.applications.documents import contract_document, sheet_document
from wufeng.credit.applications.model import Application, ApplicationKind, ApplicationStatus, Purchase
from wufeng.credit.applications.papers import Signing, papers_of, read_contract, read_sheet, ways_of
from wufeng.credit.applications.policy import shipped_application_policy
from wufeng.credit.applications.rules import decide_application
from wufeng.credit.documents import Facts, Figures
from wufeng.credit.products.files import shipped_products
from wufeng.credit.products.model import STANDARD, Early, Mode, Product
from wufeng.identity.merchants.model import Scene

from .test_application_rules import NEW

POLICY = shipped_application_policy()
PRODUCTS = [one.product for one in shipped_products()]
LISTS = [(one, tier) for one in PRODUCTS for tier in (STANDARD, *(tier.code for tier in one.tiers))]
ON = date(2026, 9, 3)


def signing(
    product: Product, limit_minor: int, purchase: Purchase | None = None, tier: str = STANDARD
) -> Signing:
    return Signing(
        application_id=UUID(int=1),
        person_id=UUID(int=2),
        product=product,
        limit_minor=limit_minor,
        on=ON,
        consents=POLICY.consents,
        purchase=purchase,
        tier=tier,
    )


@pytest.mark.parametrize(("product", "tier"), LISTS, ids=lambda one: one if isinstance(one, str) else one.id)
@given(part=st.integers(0, 1_000_000), of_order=st.booleans())
def test_a_sheet_adds_up(product: Product, tier: str, part: int, of_order: bool) -> None:
    least, most = product.limit.minimum_minor, product.limit.maximum_minor
    limit_minor = least + (most - least) * part // 1_000_000
    purchase = Purchase(UUID(int=3), max(1, limit_minor // 3), Scene.RETAIL) if of_order else None
    sheet_paper, contract_paper = papers_of(signing(product, limit_minor, purchase, tier))
    sheet, contract = read_sheet(sheet_paper), read_contract(contract_paper)
    assert hashlib.sha256(sheet_paper.content).hexdigest() == sheet_paper.hash == contract.sheet_hash
    assert papers_of(signing(product, limit_minor, purchase, tier)) == (sheet_paper, contract_paper)
    of_order = purchase is not None and ways_of(signing(product, limit_minor, purchase, tier)) != ()
    assert sheet.basis == ("order" if of_order else "limit") and sheet.ways
    assert sheet.principal_minor == (purchase.amount_minor if purchase and of_order else limit_minor)
    for way in sheet.ways:
        assert sum(row.principal_minor for row in way.instalments) == sheet.principal_minor
        assert sum(row.amount_minor for row in way.instalments) == way.total_minor
        assert way.total_minor - sheet.principal_minor == way.total_cost_minor >= 0
        assert way.annualised_rate_ppm <= sheet.annualised_max_ppm <= product.interest.annualised_max_ppm
        assert way.eu_rate_ppm is not None and (way.eu_rate_ppm > 0) == (way.total_cost_minor > 0)
    assert sheet.tier == tier and sheet.tier_name is not None and sheet.tier_name.zh
    assert sum(one.share_ppm for one in sheet.lenders) == 1_000_000
    assert {item.code for item in sheet.contingent} >= {"revolving", "late"}
    assert len(sheet.items) >= len(sheet.ways)
    assert sheet.nothing_else.zh and contract.clauses[-1].text.en


def test_the_mode_is_a_part_of_what_is_signed() -> None:
    both = next(product for product in PRODUCTS if len(product.modes) > 1)
    papers = {
        mode: papers_of(replace(signing(both, both.limit.minimum_minor), mode=mode))[0]
        for mode in (None, *both.modes)
    }
    assert papers[None] == papers[Mode.ORDER]
    assert papers[Mode.BILL].hash != papers[Mode.ORDER].hash
    said = sheet_document(papers[Mode.BILL], "en").blocks[1]
    assert isinstance(said, Facts)
    assert ("How it falls due", "By monthly bill: all purchases stand on one bill a month") in said.rows


def test_what_the_merchant_carries_is_not_the_persons() -> None:
    free = next(product for product in PRODUCTS if product.id == "pay_in_four")
    sheet = read_sheet(papers_of(signing(free, free.limit.minimum_minor))[0])
    (item,) = sheet.items
    assert (item.standard.en, item.method.en) == ("Not charged", "The merchant carries the fee")
    prices = tuple(replace(price, merchant_share_ppm=400_000) for price in free.instalments.prices)
    shared = replace(free, instalments=replace(free.instalments, prices=prices, early=Early.DUE))
    half = read_sheet(papers_of(signing(shared, free.limit.minimum_minor))[0])
    assert half.items[0].method.en.endswith(", of which the merchant carries 40%")
    assert half.annualised_max_ppm > 0 and half.ways[0].total_cost_minor > 0
    assert half.contingent[-1].code == "early"


@pytest.mark.parametrize("product", PRODUCTS, ids=lambda product: product.id)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_yearly_rate_stands_first(product: Product, language: str) -> None:
    sheet_paper, _ = papers_of(signing(product, product.limit.minimum_minor))
    first = sheet_document(sheet_paper, language).blocks[0]
    assert isinstance(first, Figures)
    assert first.figures[0].value == year_text(read_sheet(sheet_paper).annualised_max_ppm)


def test_a_contract_says_whether_it_is_signed() -> None:
    product = PRODUCTS[0]
    sheet, contract = papers_of(signing(product, product.limit.minimum_minor))
    at = POLICY.effective_from
    found = Application(
        id=UUID(int=1),
        person_id=UUID(int=2),
        kind=ApplicationKind.OPENING,
        product=product.id,
        product_version=product.version,
        currency=product.currency,
        status=ApplicationStatus.OFFERED,
        policy=POLICY.name,
        inputs=NEW,
        decision=decide_application(NEW, POLICY, product),
        limit_minor=product.limit.minimum_minor,
        consents=POLICY.consents,
        sheet=sheet,
        contract=contract,
        created_at=at,  # type: ignore[arg-type]
        decided_at=at,  # type: ignore[arg-type]
    )
    blocks = contract_document(contract, found, "en").blocks
    assert any("Not signed yet" in str(block) for block in blocks)
    assert sum("SHA-256" in str(block) for block in blocks) >= 1


def test_yearly_rates_are_shown_half_even() -> None:
    assert [year_text(ppm) for ppm in (158_633, 149_350, 182_500, 0, 99)] == [
        "15.86%",
        "14.94%",
        "18.25%",
        "0.00%",
        "0.01%",
    ]
