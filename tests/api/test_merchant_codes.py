"""Codes over HTTP: made, read by other people's libraries, scanned, paid within the day's limit, fuzzed."""

import io
import re
import shutil
import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.api.conftest import PIN
from tests.cases import cases

from wufeng.base.ids import Prefix, decode
from wufeng.payments.merchant_codes import emv
from wufeng.payments.orders.model import order_id

from .conftest import Api, Person, Shop
from .test_merchants import view

PATH = "/v1/merchant_codes"
YES = {"confirmation": {"kind": "pin", "proof": PIN}}


async def code_of(api: Api, shop: Shop, **more: Any) -> dict[str, Any]:
    return view(await api.post(PATH, shop.key, {"label": "Counter 1", **more}), 201)


async def order_by(api: Api, person: Person, code: dict[str, Any], **body: Any) -> dict[str, Any]:
    return view(await api.post(f"{PATH}/{code['id']}/orders", person.token, body), 201)


async def pay(api: Api, person: Person, order: dict[str, Any], **more: Any) -> Any:
    body = {"order": order["id"], "funding": [{"wallet": person.wallet}], **YES, **more}
    return await api.post("/v1/payments", person.token, body)


async def scan(api: Api, person: Person, text: str) -> Any:
    return await api.post("/v1/scans", person.token, {"text": text})


async def test_a_static_code_is_scanned_and_paid(api: Api) -> None:
    shop, person = await api.new_merchant(), await api.new_person(wallet_minor=100_00)
    code = await code_of(api, shop, subject="Tea")
    assert code["id"].startswith("mco_") and code["status"] == "open" and code["amount_minor"] is None
    payload = emv.parse(code["emv"])
    assert (payload.value("01"), payload.value("26.01"), payload.value("26.02")) == (
        "11",
        shop.id,
        code["id"],
    )
    for text in (code["emv"], code["url"], code["url"].removeprefix("http://localhost:8000"), code["id"]):
        seen = view(await scan(api, person, text), 200)
        assert (seen["kind"], seen["merchant_code"], seen["merchant_name"]) == (
            "merchant_code", code["id"], "Shop",
        )  # fmt: skip
        assert (seen["amount_minor"], seen["subject"], seen["status"]) == (None, "Tea", "open")
    missing = view(await api.post(f"{PATH}/{code['id']}/orders", person.token, {}), 422)
    assert missing["errors"][0]["pointer"] == "/amount_minor"
    order = await order_by(api, person, code, amount_minor=12_80)
    assert (order["amount_minor"], order["subject"]) == (12_80, "Tea")
    assert order["metadata"] == {"merchant_code": code["id"], "label": "Counter 1"}
    paid = view(await pay(api, person, order), 201)
    assert (paid["status"], paid["channel"]) == ("captured", "static_code")
    assert view(await api.get(f"/v1/orders/{order['id']}", shop.key), 200)["state"] == "paid"


async def test_the_order_stands_in_the_persons_own_numbers_and_a_key_makes_one(api: Api) -> None:
    shop, person = await api.new_merchant(), await api.new_person(wallet_minor=100_00)
    code = await code_of(api, shop, amount_minor=5_00)
    path = f"{PATH}/{code['id']}/orders"
    first = view(await api.post(path, person.token, {}, key="k1"), 201)
    again = view(await api.post(path, person.token, {}, key="k1"), 201)
    other = view(await api.post(path, person.token, {}, key="k2"), 201)
    assert first == again and other["id"] != first["id"]
    of_person = order_id(
        decode(Prefix.MERCHANT, shop.id), first["order_no"], decode(Prefix.PERSON, person.id)
    )
    assert decode(Prefix.ORDER, first["id"]) == of_person
    assert view(await api.post(path, person.token, {"amount_minor": 4_99}), 422)["errors"][0]["pointer"] == (
        "/amount_minor"
    )
    assert view(await api.post(path, person.token, {}, key=None), 400)["code"] == "idempotency_key_missing"


async def test_static_codes_pay_500_a_day_and_no_more(api: Api) -> None:
    """PBOC 2017 no. 296, class D: whatever proves the payer."""
    shop = await api.new_merchant()
    person = await api.new_person(wallet_minor=900_00, line_minor=5_000_00)
    code = await code_of(api, shop)
    whole = await order_by(api, person, code, amount_minor=500_01)
    refused = view(await pay(api, person, whole), 402)
    assert refused["reasons"][0]["code"] == "code_limit"
    on_credit = view(await pay(api, person, whole, funding=[{"line": person.line}]), 402)
    assert on_credit["reasons"][0]["code"] == "code_limit"
    assert view(await pay(api, person, await order_by(api, person, code, amount_minor=500_00)), 201)[
        "status"
    ] == ("captured")
    one_more = view(await pay(api, person, await order_by(api, person, code, amount_minor=1)), 402)
    assert one_more["reasons"][0]["code"] == "code_limit"
    shown = view(await api.post("/v1/orders", shop.key, _shown(api, shop, 1_00)), 201)
    assert view(await pay(api, person, shown), 201)["channel"] == "dynamic_code"


def _shown(api: Api, shop: Shop, amount_minor: int) -> dict[str, Any]:
    order = api.order(shop, amount_minor, channel="dynamic_code")
    del order["merchant"]
    return order


async def test_a_merchants_order_is_not_offered_as_a_printed_code(api: Api) -> None:
    shop = await api.new_merchant()
    for channel in ("static_code", "link", "pay_code"):
        refused = await api.post("/v1/orders", shop.key, _shown(api, shop, 1) | {"channel": channel})
        assert view(refused, 422)["errors"][0]["pointer"] == "/channel"


async def test_an_order_shows_its_code(api: Api) -> None:
    shop, person, other = await api.new_merchant(), await api.new_person(), await api.new_merchant()
    order = view(await api.post("/v1/orders", shop.key, _shown(api, shop, 23_72)), 201)
    path = f"/v1/orders/{order['id']}/code"
    code = view(await api.get(path, shop.key), 200)
    payload = emv.parse(code["emv"])
    assert (payload.value("01"), payload.value("54"), payload.value("26.02")) == ("12", "23.72", order["id"])
    assert (payload.currency, payload.amount_minor) == ("CNY", 23_72)
    for text in (code["emv"], code["url"]):
        seen = view(await scan(api, person, text), 200)
        assert (seen["kind"], seen["order"], seen["amount_minor"]) == ("order", order["id"], 23_72)
    svg = await api.get(path, shop.key, headers={"accept": "image/svg+xml"})
    assert svg.headers["content-type"] == "image/svg+xml" and svg.text == code["url_svg"]
    assert "style" not in svg.text
    view(await api.get(path, other.key), 404)


async def test_a_closed_code_takes_nothing(api: Api) -> None:
    shop, person = await api.new_merchant(), await api.new_person()
    code = await code_of(api, shop, amount_minor=1)
    closed = view(await api.post(f"{PATH}/{code['id']}/close", shop.key), 200)
    assert closed["status"] == "closed" and closed["closed_at"] is not None
    assert view(await api.post(f"{PATH}/{code['id']}/close", shop.key), 200) == closed
    assert view(await scan(api, person, code["url"]), 200)["status"] == "ended"
    late = view(await api.post(f"{PATH}/{code['id']}/orders", person.token, {}), 409)
    assert late["code"] == "state_conflict"


async def test_a_list_turns_its_pages(api: Api) -> None:
    shop, other = await api.new_merchant(), await api.new_merchant()
    ids = [(await code_of(api, shop))["id"] for _ in range(3)]
    first = view(await api.get(PATH, shop.key, params={"limit": 2}), 200)
    rest = view(await api.get(PATH, shop.key, params={"limit": 2, "starting_after": first["next"]}), 200)
    assert first["has_more"] and not rest["has_more"]
    assert sorted(one["id"] for one in first["data"] + rest["data"]) == sorted(ids)
    assert view(await api.get(PATH, other.key), 200)["data"] == []


async def test_a_code_that_somebody_changed_is_refused(api: Api) -> None:
    """The checksum is no signature: whoever changes a text can mend it. What is paid is what its id stands for."""
    shop, other, person = await api.new_merchant(), await api.new_merchant(), await api.new_person()
    order = view(await api.post("/v1/orders", shop.key, _shown(api, shop, 23_72)), 201)
    text = view(await api.get(f"/v1/orders/{order['id']}/code", shop.key), 200)["emv"]
    for old, new in (("540523.72", "540503.72"), ("5303156", "5303840"), (shop.id, other.id)):
        assert old in text
        body = text.replace(old, new)[:-4]
        mended = body + emv.checksum(body.encode())
        assert "was changed" in view(await scan(api, person, mended), 422)["detail"]
    assert "does not fit" in view(await scan(api, person, text.replace("23.72", "03.72")), 422)["detail"]


@cases(
    ("text", "status"),
    [
        ("hello", 422),
        ("https://example.com/", 422),
        ("https://example.com/q/" + "0" * 26, 404),
        ("/q/" + "8" + "0" * 25, 422),
        ("/q/" + "0" * 52, 404),
        ("/l/" + "0" * 52, 404),
        ("/f/" + "z" * 52, 404),
        ("mco_" + "0" * 26, 404),
        ("ord_" + "0" * 26, 422),
        ("000201", 422),
        ("\u2028", 422),
        ("0" * 1001, 422),
        ("", 422),
    ],
)
async def test_what_is_no_code_of_ours(api: Api, text: str, status: int) -> None:
    person = await api.new_person()
    view(await scan(api, person, text), status)


async def test_codes_of_other_wallets_are_named(api: Api) -> None:
    person = await api.new_person()
    pix = (
        "00020126580014br.gov.bcb.pix0136123e4567-e12b-12d1-a456-4266554400005204000053039865802BR"
        "5913Fulano de Tal6008BRASILIA62070503***63041D3D"
    )
    refused = view(await scan(api, person, pix), 422)
    assert "another wallet (Fulano de Tal)" in refused["detail"]


async def test_fuzzed_payloads_are_problems_and_never_a_crash(api: Api) -> None:
    shop, person = await api.new_merchant(), await api.new_person()
    sound = (await code_of(api, shop, amount_minor=12_00))["emv"]
    seen: list[int] = []

    @settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(texts=st.lists(_payloads(sound), min_size=1, max_size=1))
    def ask(texts: list[str]) -> None:
        asked.extend(texts)

    asked: list[str] = []
    ask()
    for text in asked:
        answer = await scan(api, person, text)
        seen.append(answer.status_code)
        assert answer.status_code in (200, 404, 422), (text, answer.text)
        if answer.status_code != 200:
            assert answer.json()["code"] in ("invalid_field", "not_found"), answer.text
    assert 422 in seen


def _payloads(sound: str) -> st.SearchStrategy[str]:
    """Sound texts with a piece cut, doubled or replaced; half of them with a checksum that fits again."""

    @st.composite
    def changed(draw: Any) -> str:
        at, end = sorted(draw(st.tuples(st.integers(0, len(sound)), st.integers(0, len(sound)))))
        piece = draw(st.one_of(st.just(""), st.just(sound[at:end] * 2), st.text(max_size=12)))
        text = (sound[:at] + piece + sound[end:])[:480].replace("\0", "0") or "0"
        if draw(st.booleans()):
            body = text[:-8] + "6304"
            text = body + emv.checksum(body.encode("utf-8", "replace"))
        return text

    return st.one_of(changed(), st.text(min_size=1, max_size=60).map(lambda t: t.replace("\0", "0")))


OF_INDONESIA = {
    ("tag.length", "26.01"),  # there the number of an account, of at most 19 digits
    ("tag.length", "26.02"),
    ("currency.invalid", "53"),  # none but theirs
    ("country.invalid", "58"),
}
"""What qriskit (MIT) asks of Indonesia's codes alone. All else that it looks at is EMVCo's."""


async def test_our_codes_are_read_by_another_library(api: Api) -> None:
    qriskit = pytest.importorskip("qriskit", reason="qriskit is not installed")
    shop = await api.new_merchant()
    order = view(await api.post("/v1/orders", shop.key, _shown(api, shop, 23_72)), 201)
    shown = view(await api.get(f"/v1/orders/{order['id']}/code", shop.key), 200)
    free, fixed = await code_of(api, shop), await code_of(api, shop, amount_minor=12_80)
    for text, named, kind, amount, label in (
        (free["emv"], free["id"], "static", None, "07"),
        (fixed["emv"], fixed["id"], "static", Decimal("12.80"), "07"),
        (shown["emv"], order["id"], "dynamic", Decimal("23.72"), "05"),
    ):
        read = qriskit.parse(text)
        assert read.dumps() == text and _errors(qriskit, text) == OF_INDONESIA
        assert (read.point_of_initiation, read.amount) == (kind, amount)
        assert (read.currency, read.country, read.mcc) == ("156", "CN", "5999")
        assert (read.merchant_name, read.merchant_city) == ("Shop", "SHANGHAI")
        (account,) = read.merchant_accounts
        assert [account.get(each) for each in ("00", "01", "02")] == ["org.wufeng", shop.id, named]
        assert read.additional_data.get(label) == {"07": "Counter 1", "05": order["order_no"]}[label]
        damaged = text[:-1] + ("0" if text[-1] != "0" else "1")
        assert _errors(qriskit, damaged) == {*OF_INDONESIA, ("crc.mismatch", "63")}


def _errors(qriskit: Any, text: str) -> set[tuple[str, str]]:
    return {(issue.code, issue.path) for issue in qriskit.validate(text) if issue.severity == "error"}


async def test_posters_say_what_they_are(api: Api) -> None:
    shop = await api.new_merchant()
    code = await code_of(api, shop, subject="Tea", amount_minor=12_80)
    for paper, size in PAPERS:
        poster = await poster_of(api, shop, code, paper)
        assert await poster_of(api, shop, code, paper) == poster
        page = _page(poster)
        assert (int(page.mediabox.width), int(page.mediabox.height)) == size
        said = re.sub(r"\s+", " ", page.extract_text())
        for text in ("Shop", "扫码支付", "Scan to pay", "CNY 12.80", "Counter 1", code["id"]):
            assert text in said, said


@pytest.mark.parametrize("printed", ["by poppler", "from its commands"])
async def test_the_codes_on_a_poster_are_read_by_zxing(api: Api, tmp_path: Path, printed: str) -> None:
    """The large one and the small one, as a printer of other people draws them, and as the file itself says."""
    zxing = pytest.importorskip("zxingcpp", reason="zxing-cpp is not installed")
    if printed == "by poppler" and shutil.which("pdftoppm") is None:
        pytest.skip("pdftoppm is not installed (poppler-utils)")
    shop = await api.new_merchant()
    code = await code_of(api, shop, subject="Tea", amount_minor=12_80)
    for paper, size in PAPERS:
        poster = await poster_of(api, shop, code, paper)
        picture = _printed(poster, tmp_path) if printed == "by poppler" else _drawn(poster, size)
        assert sorted(one.text for one in zxing.read_barcodes(picture)) == sorted([code["url"], code["emv"]])


PAPERS = (("a4", (595, 842)), ("a5", (420, 595)))


async def poster_of(api: Api, shop: Shop, code: dict[str, Any], paper: str) -> bytes:
    """The poster of a code as a PDF file."""
    answer = await api.get(
        f"{PATH}/{code['id']}", shop.key, params={"paper": paper}, headers={"accept": "application/pdf"}
    )
    assert answer.headers["content-type"] == "application/pdf"
    return answer.content


def _page(pdf: bytes) -> Any:
    from pypdf import PdfReader

    (page,) = PdfReader(io.BytesIO(pdf)).pages
    return page


def _printed(pdf: bytes, folder: Path) -> Any:
    """The page as pdftoppm draws it."""
    from PIL import Image

    (folder / "poster.pdf").write_bytes(pdf)
    command = ["pdftoppm", "-r", "150", "-gray", "-singlefile", "poster.pdf", "poster"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return Image.open(folder / "poster.pgm")


def _drawn(pdf: bytes, size: tuple[int, int]) -> Any:
    """The rectangles that the page fills, three dots a point; they are measured from its foot."""
    from PIL import Image, ImageDraw

    dots, (width, height) = 3, size
    picture = Image.new("L", (width * dots, height * dots), 255)
    pen = ImageDraw.Draw(picture)
    for operands, operator in _page(pdf).get_contents().operations:
        if operator == b"re":
            x, y, wide, high = (round(float(each) * dots) for each in operands)
            top, bottom = sorted((height * dots - y, height * dots - y - high))
            pen.rectangle((x, top, x + wide - 1, bottom - 1), fill=0)
    return picture


async def drawings(api: Api) -> list[tuple[str, str]]:
    """Every drawing that we make, with what it has to say: a printed code's, and the two of an order."""
    shop = await api.new_merchant()
    code = await code_of(api, shop, amount_minor=12_80)
    svg = await api.get(f"{PATH}/{code['id']}", shop.key, headers={"accept": "image/svg+xml"})
    order = view(await api.post("/v1/orders", shop.key, _shown(api, shop, 23_72)), 201)
    shown = view(await api.get(f"/v1/orders/{order['id']}/code", shop.key), 200)
    return [(svg.text, code["url"]), (shown["url_svg"], shown["url"]), (shown["emv_svg"], shown["emv"])]


async def test_our_drawings_are_read_by_zxing(api: Api) -> None:
    zxing = pytest.importorskip("zxingcpp", reason="zxing-cpp is not installed")
    for drawing, text in await drawings(api):
        (found,) = zxing.read_barcodes(pixels_of(drawing))
        assert found.text == text


@pytest.mark.skipif(shutil.which("zbarimg") is None, reason="zbarimg is not installed (zbar-tools)")
async def test_our_drawings_are_read_by_zbarimg(api: Api, tmp_path: Path) -> None:
    picture = tmp_path / "code.png"
    for drawing, text in await drawings(api):
        pixels_of(drawing).save(picture)
        command = ["zbarimg", "--quiet", "--raw", str(picture)]
        read = subprocess.run(command, capture_output=True, check=True, text=True)
        assert read.stdout.strip() == text


def pixels_of(svg: str) -> Any:
    """A drawing of segno's as a grey picture: its one dark path is rows of runs, a unit high."""
    from PIL import Image, ImageDraw

    scale, side = int(re.search(r"scale\((\d+)\)", svg)[1]), int(re.search(r'viewBox="0 0 (\d+)', svg)[1])  # type: ignore[index]
    picture = Image.new("L", (side, side), 255)
    pen = ImageDraw.Draw(picture)
    x, y = 0, 0
    (path,) = re.findall(r'class="qrline" stroke="#000" d="([^"]*)"', svg)
    for kind, first, second in re.findall(r"([Mmh])(-?\d+)(?: (-?\d+)(?:\.5)?)?", path):
        if kind == "h":
            run = x * scale, y * scale, (x + int(first)) * scale - 1, (y + 1) * scale - 1
            pen.rectangle(run, fill=0)
            x += int(first)
        else:
            x, y = (int(first), int(second)) if kind == "M" else (x + int(first), y + int(second))
    return picture
