"""Our barcode, read by an independent reader."""

import random
import shutil
import subprocess
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image

from wufeng.web.barcode import HEIGHT_MODULES, QUIET_MODULES, bars_of, code128_svg


def drawn(digits: str, module: int = 2) -> Image.Image:
    """The barcode as a camera would hold it still: white ground, black bars."""
    bars = bars_of(digits)
    wide = bars[-1][0] + bars[-1][1] + QUIET_MODULES
    image = Image.new("L", (wide * module, HEIGHT_MODULES * module), 255)
    for at, width in bars:
        image.paste(0, (at * module, 0, (at + width) * module, HEIGHT_MODULES * module))
    return image


def test_another_reader_reads_every_pair_of_digits() -> None:
    for start in range(0, 100, 9):
        digits = "".join(f"{(start + n) % 100:02d}" for n in range(9))
        (read,) = zxingcpp.read_barcodes(drawn(digits))
        assert read.text == digits and "128" in str(read.format)


def test_another_reader_reads_pay_codes() -> None:
    rng = random.Random(7)
    for _ in range(50):
        digits = f"38{rng.randrange(10**16):016d}"
        (read,) = zxingcpp.read_barcodes(drawn(digits, rng.choice((2, 3))))
        assert read.text == digits


def test_the_reader_of_the_command_line_reads_a_pay_code(tmp_path: Path) -> None:
    if shutil.which("zbarimg") is None:
        pytest.skip("zbarimg is not installed: apt-get install zbar-tools")
    file = tmp_path / "code.png"
    drawn("381234567890123456", 3).save(file)
    read = subprocess.run(["zbarimg", "--quiet", file], capture_output=True, text=True, check=True)
    assert read.stdout.strip() == "CODE-128:381234567890123456"


def test_the_picture_holds_its_title_and_no_style() -> None:
    svg = code128_svg("381234567890123456", "Pay code")
    assert "<title>Pay code</title>" in svg and "style" not in svg


@pytest.mark.parametrize("text", ["1", "12a4", "１２"])
def test_what_is_no_pair_of_digits_is_a_mistake_of_ours(text: str) -> None:
    with pytest.raises(AssertionError):
        bars_of(text)
