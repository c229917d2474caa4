"""Tools of other people over our codec: a fuzzer that follows coverage, and a library for JavaScript."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .test_emv import MASTERCARD, PIX, SOUND, sealed

SECONDS = int(os.environ.get("FUZZ_SECONDS", "5"))
READ = """
const { parse } = require("promptparse");
const [text, ...ids] = JSON.parse(process.argv[1]);
const found = parse(text, true);
process.stdout.write(JSON.stringify(found ? ids.map((id) => found.getTagValue(id) ?? null) : null));
"""


@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris is not installed")
def test_a_fuzzer_finds_nothing() -> None:
    source = Path(__file__).resolve().parents[3] / "src"
    ran = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("fuzz_emv.py")), f"-max_total_time={SECONDS}"],
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS + 120,
        env=os.environ | {"PYTHONPATH": str(source)},
    )
    assert ran.returncode == 0, ran.stderr[-4_000:]


def promptparse(text: str, *ids: str) -> list[str | None] | None:
    """What promptparse (npm, MIT) reads of a text, its checksum looked at; None: it refuses it. Skips without it."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    ran = subprocess.run(
        [node, "-e", READ, json.dumps([text, *ids])], capture_output=True, text=True, check=False, timeout=60
    )
    if "Cannot find module" in ran.stderr:
        pytest.skip("promptparse is not installed: npm install promptparse, and name its folder in NODE_PATH")
    assert ran.returncode == 0, ran.stderr
    read: list[str | None] | None = json.loads(ran.stdout)
    return read


@pytest.mark.parametrize("text", [PIX, MASTERCARD, sealed(SOUND)])
def test_a_library_for_javascript_reads_the_same(text: str) -> None:
    assert promptparse(text, "00", "53", "59") == [
        "01",
        {PIX: "986", MASTERCARD: "840"}.get(text, "156"),
        {PIX: "Fulano de Tal", MASTERCARD: "Test Merchant"}.get(text, "SHOP"),
    ]
    assert promptparse(text[:-1] + ("0" if text[-1] != "0" else "1"), "59") is None
