"""Where a call comes from: what proxies are believed, what counts as one address, ranges of keys."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wufeng.base.errors import Problem
from wufeng.identity.places import (
    IN_PROCESS,
    check_ranges,
    client_address,
    counted_as,
    may_come_from,
    read_ranges,
)

PROXIES = "10.0.0.0/8, 2001:db8:ffff::/48"


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.9", "", "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),  # anybody can write a header
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "6.6.6.6, 198.51.100.1", "198.51.100.1"),  # what the client wrote stands before
        ("10.0.0.1", "198.51.100.1, 10.0.0.2", "198.51.100.1"),  # two proxies of ours
        ("10.0.0.1", "6.6.6.6, nonsense", "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("2001:db8:ffff::1", "2001:DB8::1", "2001:db8::1"),
        ("10.0.0.1", "::ffff:198.51.100.1", "198.51.100.1"),
        (IN_PROCESS, "198.51.100.1", "198.51.100.1"),
        (IN_PROCESS, "", None),
        (None, "198.51.100.1", None),
        ("a socket", "198.51.100.1", None),
    ],
)
def test_the_client_behind_proxies(peer: str | None, forwarded: str, address: str | None) -> None:
    assert client_address(peer, forwarded, read_ranges(PROXIES)) == address


@given(st.text(max_size=20), st.text(max_size=200))
def test_no_header_breaks_it(peer: str, forwarded: str) -> None:
    found = client_address(peer, forwarded, read_ranges(PROXIES))
    assert found is None or counted_as(found) is None or isinstance(counted_as(found), str)


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("127.0.0.1", None),  # a proxy that the settings do not name: it would be everybody
        ("::1", None),
        (None, None),
    ],
)
def test_what_counts_as_one_address(address: str | None, counted: str | None) -> None:
    assert counted_as(address) == counted


@pytest.mark.parametrize(
    ("address", "ranges", "may"),
    [
        ("203.0.113.9", (), True),
        (None, (), True),
        ("203.0.113.9", ("203.0.113.0/24",), True),
        ("203.0.114.9", ("203.0.113.0/24",), False),
        ("2001:db8::9", ("203.0.113.0/24", "2001:db8::/32"), True),
        (None, ("0.0.0.0/0",), False),  # where it comes from is not known
    ],
)
def test_ranges_of_a_key(address: str | None, ranges: tuple[str, ...], may: bool) -> None:
    assert may_come_from(address, ranges) is may


def test_ranges_are_written_in_one_form() -> None:
    assert check_ranges([" 203.0.113.0/24", "198.51.100.7", "203.0.113.0/24"]) == (
        "198.51.100.7/32",
        "203.0.113.0/24",
    )
    for wrong in ("203.0.113.9/24", "203.0.113.0/33", "anywhere", ""):
        with pytest.raises(Problem) as refused:
            check_ranges([wrong])
        assert refused.value.errors[0].pointer == "/addresses"
