"""Coverage-guided fuzzing of the EMVCo reader, for those who have atheris: python fuzz_emv.py -max_total_time=60

It fails when anything but a problem comes out of a text, or when a text that was read is not written as it was.
"""

import contextlib
import sys

import atheris

with atheris.instrument_imports(
    include=["wufeng.payments.merchant_codes.emv", "wufeng.payments.scans.rules"]
):
    from wufeng.base.errors import Problem
    from wufeng.payments.merchant_codes import emv
    from wufeng.payments.scans.rules import read_text

SEED = "000201010211" + "26140010org.wufeng" + "5204411153031565802CN5904SHOP6007BEIJING"


def read_one(data: bytes) -> None:
    """One input: as it is, and with a checksum that fits."""
    provider = atheris.FuzzedDataProvider(data)
    at, text = provider.ConsumeIntInRange(0, len(SEED)), provider.ConsumeUnicode(200)
    body = SEED[:at] + text + SEED[at:] + "6304"
    for one in (text, body + emv.checksum(body.encode("utf-8", "replace"))):
        try:
            payload = emv.parse(one)
        except Problem:
            continue
        assert emv.build(payload) == one
    with contextlib.suppress(Problem):
        read_text(text)


if __name__ == "__main__":
    atheris.Setup(sys.argv, read_one)
    atheris.Fuzz()
