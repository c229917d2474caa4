"""The vault: what is sealed opens for its owner and its field alone, and what is private never prints."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.pretty import pretty_repr

from wufeng.base.config import Secrets
from wufeng.identity.vault import Private, Unreadable, Vault

VAULT = Vault(Secrets(pepper=b"p" * 32, sealing_key=b"s" * 32))
OTHER = Vault(Secrets(pepper=b"q" * 32, sealing_key=b"t" * 32))
ANNA, BO = UUID(int=0xA), UUID(int=0xB)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_what_is_sealed_opens_again(text: str) -> None:
    key, sealed_key = VAULT.new_person_key(ANNA)
    sealed = key.seal("phone", text)
    assert VAULT.open_person_key(ANNA, sealed_key).unseal("phone", sealed) == text
    assert key.seal("phone", text) != sealed, "a nonce of its own each time"
    if len(text.encode()) > 3:
        assert text.encode() not in sealed


def test_a_seal_is_bound_to_its_field_and_owner() -> None:
    key, sealed_key = VAULT.new_person_key(ANNA)
    sealed = key.seal("phone", "+8613900001111")
    with pytest.raises(Unreadable):
        key.unseal("name", sealed)
    with pytest.raises(Unreadable):
        VAULT.open_person_key(BO, sealed_key)
    with pytest.raises(Unreadable):
        OTHER.open_person_key(ANNA, sealed_key)


def test_each_person_has_a_key_of_their_own() -> None:
    anna, _ = VAULT.new_person_key(ANNA)
    again, _ = VAULT.new_person_key(ANNA)
    with pytest.raises(Unreadable):
        again.unseal("phone", anna.seal("phone", "x"))


@given(st.data())
def test_changed_bytes_do_not_open(data: st.DataObject) -> None:
    key, _ = VAULT.new_person_key(ANNA)
    sealed = bytearray(key.seal("phone", "+8613900001111"))
    place = data.draw(st.integers(0, len(sealed) - 1))
    sealed[place] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(Unreadable):
        key.unseal("phone", bytes(sealed))


@pytest.mark.parametrize(
    "sealed", [b"", b"\x01", b"\x01" + b"0" * 12, b"\x01" + b"0" * 20, b"\x02" + b"0" * 40]
)
def test_rubbish_does_not_open(sealed: bytes) -> None:
    key, _ = VAULT.new_person_key(ANNA)
    with pytest.raises(Unreadable):
        key.unseal("phone", sealed)


def test_names_differ_by_kind_book_and_pepper() -> None:
    names = {
        VAULT.name("phone", 1, "a"),
        VAULT.name("phone", 2, "a"),
        VAULT.name("external_id", 1, "a"),
        VAULT.name("phone", 1, "b"),
        OTHER.name("phone", 1, "a"),
    }
    assert len(names) == 5
    assert VAULT.name("phone", 1, "a") in names


def test_a_code_proves_one_purpose_of_one_phone() -> None:
    code = Private("123456")
    hashes = {
        VAULT.code_hash(ANNA, "sign_in", code),
        VAULT.code_hash(ANNA, "pin", code),
        VAULT.code_hash(BO, "sign_in", code),
        OTHER.code_hash(ANNA, "sign_in", code),
    }
    assert len(hashes) == 4


def test_the_pepper_binds_the_owner() -> None:
    assert VAULT.peppered(ANNA, Private("1")) != VAULT.peppered(BO, Private("1"))
    assert VAULT.peppered(ANNA, Private("1")) != OTHER.peppered(ANNA, Private("1"))


def test_what_is_private_never_prints() -> None:
    canary = "canary-7f3a"
    private = Private(canary)
    key, _ = VAULT.new_person_key(ANNA)
    shown = [
        repr(private),
        str(private),
        f"{private}",
        f"{[private]!r}",
        pretty_repr(private),
        pretty_repr({1: private}),
    ]
    assert not [
        text
        for text in [*shown, repr(key), repr(VAULT), pretty_repr(VAULT)]
        if canary in text or "s" * 8 in text
    ]
