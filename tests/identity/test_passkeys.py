"""S9: passkeys. What an honest authenticator answers is taken once; whatever an attacker changes is refused alike."""

import asyncio
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import assume, given
from hypothesis import strategies as st

from wufeng.base.errors import Code, Problem
from wufeng.base.ids import Prefix, decode
from wufeng.identity.audit.queries import list_audit_entries
from wufeng.identity.devices.commands import revoke_all, revoke_device
from wufeng.identity.passkeys import rules
from wufeng.identity.passkeys.commands import (
    ask_to_confirm,
    ask_to_register,
    ask_to_sign_in,
    delete_passkey,
    forget_challenges,
    prove_passkey,
    register_passkey,
    rename_passkey,
)
from wufeng.identity.passkeys.model import (
    CHALLENGE_LASTS,
    PASSKEYS_MAX,
    Ask,
    ChallengePurpose,
    Passkey,
    PasskeyStatus,
    PasskeyView,
    RelyingParty,
)
from wufeng.identity.passkeys.queries import has_passkey, list_passkeys
from wufeng.identity.passkeys.rules import counts_on, digest_of_request, relying_party_of
from wufeng.identity.people.commands import erase_person, freeze_person, unfreeze_person
from wufeng.identity.sessions.commands import sign_in_with_passkey, step_up_with_passkey
from wufeng.identity.sessions.model import PROOF_LASTS, AuthLevel, Opened
from wufeng.identity.vault import Private

from .authenticator import ORIGIN, PRESENT, Authenticator
from .conftest import NOON, PHONE, World

PARTY = RelyingParty("localhost", ORIGIN)
OTHER_PHONE = "+8613900002222"
DIGEST = digest_of_request("confirm_payment", "pay_1", {"quote_option": "qte_1.1"})
Options = dict[str, Any]


async def to_register(world: World, person_id: UUID) -> Options:
    asked = await ask_to_register(
        world.database, world.vault, world.ids, world.book, PARTY, person_id, world.at
    )
    return asked.options


async def register(
    world: World, person_id: UUID, key: Authenticator, device_id: UUID | None = None, **wrong: Any
) -> PasskeyView:
    made = key.make(await to_register(world, person_id), **wrong)
    return await keep(world, person_id, made, device_id)


async def keep(
    world: World, person_id: UUID, made: str, device_id: UUID | None = None, name: str = "phone"
) -> PasskeyView:
    return await register_passkey(
        world.database, world.ids, world.book, PARTY, person_id, device_id, name, Private(made), world.at
    )


async def to_sign_in(world: World) -> Options:
    return (await ask_to_sign_in(world.database, world.vault, world.ids, world.book, PARTY, world.at)).options


async def enter(world: World, answer: str, proof: str | None = None) -> Opened:
    shown = Private(proof) if proof is not None else None
    return await sign_in_with_passkey(
        world.database, world.ids, world.book, PARTY, Private(answer), "a phone", world.at, shown
    )


async def to_confirm(world: World, person_id: UUID, digest: bytes = DIGEST) -> Options:
    asked = await ask_to_confirm(world.database, world.ids, world.book, PARTY, person_id, digest, world.at)
    return asked.options


async def confirm(world: World, person_id: UUID, answer: str, digest: bytes = DIGEST) -> UUID:
    ask = Ask(ChallengePurpose.CONFIRM, person_id, digest)
    return await prove_passkey(world.database, world.ids, world.book, PARTY, ask, Private(answer), world.at)


async def is_refused(proving: Any) -> bool:
    """Whether it is refused in the one way that tells nothing."""
    (outcome,) = await asyncio.gather(proving, return_exceptions=True)
    if not isinstance(outcome, BaseException):
        return False
    assert isinstance(outcome, Problem), outcome
    told = (outcome.code, outcome.detail, outcome.extra)
    assert told == (Code.CONFIRMATION_FAILED, "The passkey was not accepted.", {})
    return True


async def statuses(world: World, person_id: UUID) -> list[PasskeyStatus]:
    async with world.database.read() as db:
        return [passkey.status for passkey in await list_passkeys(db, world.book, person_id)]


async def test_a_passkey_is_made_and_signs_in(world: World) -> None:
    person_id, key = await world.person(), Authenticator()
    options = await to_register(world, person_id)
    assert options["rp"] == {"name": "Wufeng", "id": "localhost"}
    assert options["user"]["name"].endswith("1111") and PHONE not in json.dumps(options), "masked"
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert options["attestation"] == "none" and options["excludeCredentials"] == []
    kept = await keep(world, person_id, key.make(options))
    assert (kept.name, kept.status, kept.used_at) == ("phone", PasskeyStatus.ACTIVE, None)

    asked = await to_sign_in(world)
    assert asked["allowCredentials"] == [], "who signs in has said nothing yet"
    opened = await enter(world, key.answer(asked))
    assert (opened.person_id, opened.auth_level) == (person_id, AuthLevel.PASSKEY)
    caller = await world.authenticator.authenticate(f"Bearer {opened.token}")
    assert caller.auth_level is AuthLevel.PASSKEY and caller.device_trusted
    world.later(PROOF_LASTS)
    caller = await world.authenticator.authenticate(f"Bearer {opened.token}")
    assert caller.auth_level is AuthLevel.CODE, "it wears off as a PIN's proof does"
    again = await to_register(world, person_id)
    assert len(again["excludeCredentials"]) == 1


async def test_a_passkey_confirms_one_request(world: World) -> None:
    person_id, key = await world.person(), Authenticator()
    await register(world, person_id, key)
    options = await to_confirm(world, person_id)
    assert len(options["allowCredentials"]) == 1
    assert await confirm(world, person_id, key.answer(options)) == person_id
    silent = key.answer(await to_confirm(world, person_id), handle=None)
    assert await confirm(world, person_id, silent) == person_id, (
        "a key that was named need not say whose it is"
    )


WRONG: dict[str, dict[str, Any]] = {
    "another origin": {"origin": "https://evil.example"},
    "the origin with a port more": {"origin": f"{ORIGIN}0"},
    "a page in a frame of another": {"cross_origin": True},
    "another relying party": {"rp_id": "evil.example"},
    "a person who was not verified": {"flags": PRESENT},
    "a person who was not there": {"flags": 0},
    "the answer of a registration": {"type": "webauthn.create"},
    "another's key": {"signer": ec.generate_private_key(ec.SECP256R1())},
    "an unknown credential": {"credential_id": b"x" * 32},
    "a challenge of nobody's": {"challenge": "AAAA"},
    "a challenge that was not given": {"challenge": "A" * 64},
    "a handle that is no person": {"handle": b"somebody"},
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
async def test_what_an_attacker_changes_is_refused(world: World, wrong: dict[str, Any]) -> None:
    person_id, key = await world.person(), Authenticator()
    await register(world, person_id, key)
    assert await is_refused(enter(world, key.answer(await to_sign_in(world), **wrong)))
    assert await is_refused(
        confirm(world, person_id, key.answer(await to_confirm(world, person_id), **wrong))
    )
    assert await statuses(world, person_id) == [PasskeyStatus.ACTIVE], "what nobody signed stops no passkey"
    assert not await is_refused(enter(world, key.answer(await to_sign_in(world)))), "the honest one works"


async def test_a_challenge_is_answered_once(world: World) -> None:
    person_id, key = await world.person(), Authenticator()
    await register(world, person_id, key)
    options = await to_confirm(world, person_id)
    answer = key.answer(options)
    assert not await is_refused(confirm(world, person_id, answer))
    assert await is_refused(confirm(world, person_id, answer)), "replayed"
    assert await is_refused(confirm(world, person_id, key.answer(options))), "signed again"


async def test_a_wrong_answer_uses_the_challenge_up(world: World) -> None:
    person_id, key = await world.person(), Authenticator()
    await register(world, person_id, key)
    options = await to_confirm(world, person_id)
    assert await is_refused(confirm(world, person_id, key.answer(options, flags=PRESENT)))
    assert await is_refused(confirm(world, person_id, key.answer(options)))


async def test_of_one_answer_sent_many_times_at_once_one_counts(world: World) -> None:
    person_id, key = await world.person(), Authenticator(counts=False)
    await register(world, person_id, key)
    answer = key.answer(await to_confirm(world, person_id))
    refused = await asyncio.gather(*(is_refused(confirm(world, person_id, answer)) for _ in range(12)))
    assert refused.count(False) == 1


async def test_a_challenge_lasts_five_minutes(world: World) -> None:
    person_id, key = await world.person(), Authenticator()
    await register(world, person_id, key)
    early, late = await to_confirm(world, person_id), await to_confirm(world, person_id)
    world.later(CHALLENGE_LASTS - timedelta(microseconds=1))
    assert not await is_refused(confirm(world, person_id, key.answer(early)))
    world.later(timedelta(microseconds=1))
    assert await is_refused(confirm(world, person_id, key.answer(late)))
    async with world.database.transaction() as db:
        assert [await forget_challenges(db, bucket, world.at, 100) for bucket in world.book.buckets] != [0, 0]
        left = await db.fetchval("select count(*) from passkey_challenge where expires_at <= $1", world.at)
    assert left == 0


async def test_a_challenge_is_good_for_its_purpose_alone(world: World) -> None:
    person_id, key = await world.person(), Authenticator()
    await register(world, person_id, key)
    assert await is_refused(enter(world, key.answer(await to_confirm(world, person_id))))
    assert await is_refused(confirm(world, person_id, key.answer(await to_sign_in(world))))
    registering = await to_register(world, person_id)
    as_answer = registering | {"rpId": registering["rp"]["id"]}
    assert await is_refused(confirm(world, person_id, key.answer(as_answer)))
    confirming = await to_confirm(world, person_id)
    as_making = registering | {"challenge": confirming["challenge"]}
    assert await is_refused(keep(world, person_id, Authenticator().make(as_making)))


async def test_an_answer_confirms_no_other_request(world: World) -> None:
    person_id, key = await world.person(), Authenticator()
    await register(world, person_id, key)
    other = digest_of_request("confirm_payment", "pay_2", {"quote_option": "qte_1.1"})
    assert await is_refused(confirm(world, person_id, key.answer(await to_confirm(world, person_id)), other))


async def test_another_persons_passkey_confirms_nothing(world: World) -> None:
    person_id, other_id = await world.person(), await world.person(OTHER_PHONE)
    mine, theirs = Authenticator(), Authenticator()
    await register(world, person_id, mine)
    await register(world, other_id, theirs)
    options = await to_confirm(world, person_id)
    assert await is_refused(confirm(world, person_id, theirs.answer(options)))
    options = await to_confirm(world, person_id)
    assert await is_refused(confirm(world, person_id, theirs.answer(options, handle=mine.handle)))
    options = await to_confirm(world, person_id)
    assert await is_refused(confirm(world, other_id, theirs.answer(options))), "the challenge was another's"
    swapped = theirs.answer(await to_sign_in(world), handle=mine.handle)
    assert await is_refused(enter(world, swapped)), "a handle makes nobody somebody else"
    opened = await world.sign_in()
    stranger = theirs.answer(await to_sign_in(world))
    assert await is_refused(raise_level(world, opened, stranger)), "nor steps up another's session"


async def raise_level(world: World, opened: Opened, answer: str) -> Opened:
    return await step_up_with_passkey(
        world.database, world.ids, world.book, PARTY, opened.session_id, opened.person_id,
        Private(answer), world.at,
    )  # fmt: skip


async def test_a_passkey_steps_a_session_up_and_kills_its_token(world: World) -> None:
    person_id, key = await world.person(), Authenticator()
    await register(world, person_id, key)
    before = await world.sign_in()
    after = await raise_level(world, before, key.answer(await to_sign_in(world)))
    assert after.auth_level is AuthLevel.PASSKEY and after.device_id == before.device_id
    with pytest.raises(Problem):
        await world.authenticator.authenticate(f"Bearer {before.token}")
    with pytest.raises(Problem, match="has ended"):
        await raise_level(world, before, key.answer(await to_sign_in(world)))


@pytest.mark.parametrize(
    ("before", "now", "grows"),
    [
        (0, 0, True),
        (0, 1, True),
        (1, 2, True),
        (1, 1, False),
        (2, 1, False),
        (1, 0, False),
        (7, 2**32 - 1, True),
    ],
)
def test_a_counter_grows_or_never_counts(before: int, now: int, grows: bool) -> None:
    assert counts_on(before, now) is grows


@pytest.mark.parametrize("count", [0, 3, 4])
async def test_a_copied_passkey_is_suspended(world: World, count: int) -> None:
    person_id, key = await world.person(), Authenticator()
    await register(world, person_id, key)
    key.count = 3
    await enter(world, key.answer(await to_sign_in(world)))  # 4
    copied = key.answer(await to_confirm(world, person_id), count=count)
    assert await is_refused(confirm(world, person_id, copied))
    assert await statuses(world, person_id) == [PasskeyStatus.SUSPENDED]
    assert await is_refused(enter(world, key.answer(await to_sign_in(world)))), "the original is stopped too"
    async with world.database.read() as db:
        entries = await list_audit_entries(db, world.book, person_id)
        assert not await has_passkey(db, world.book, person_id)
    assert [entry.operation for entry in entries] == ["suspend_passkey"]


async def test_a_passkey_that_never_counts_is_no_copy(world: World) -> None:
    person_id, key = await world.person(), Authenticator(counts=False, synced=True)
    await register(world, person_id, key)
    for _ in range(3):
        await enter(world, key.answer(await to_sign_in(world)))
    assert await statuses(world, person_id) == [PasskeyStatus.ACTIVE]


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "https://evil.example"},
        {"rp_id": "evil.example"},
        {"flags": PRESENT},
        {"flags": 0},
        {"cross_origin": True},
        {"type": "webauthn.get"},
        {"fmt": "tpm"},
        {"fmt": "none", "statement": {"alg": -7}},
        {"challenge": "AAAA"},
    ],
)
async def test_a_wrong_registration_is_refused(world: World, wrong: dict[str, Any]) -> None:
    person_id = await world.person()
    assert await is_refused(register(world, person_id, Authenticator(), **wrong))
    assert await statuses(world, person_id) == []


async def test_a_registration_is_its_persons_and_once(world: World) -> None:
    person_id, other_id, key = await world.person(), await world.person(OTHER_PHONE), Authenticator()
    made = key.make(await to_register(world, person_id))
    assert await is_refused(keep(world, other_id, made))
    assert await is_refused(keep(world, person_id, made)), "the challenge is used up, whoever answered"
    made = key.make(await to_register(world, person_id))
    assert not await is_refused(keep(world, person_id, made))
    assert await is_refused(keep(world, person_id, made)), "the challenge is used"
    with pytest.raises(Problem, match="there already"):
        await register(world, person_id, key)


async def test_a_person_has_at_most_twenty(world: World) -> None:
    person_id = await world.person()
    for _ in range(PASSKEYS_MAX):
        await register(world, person_id, Authenticator())
    with pytest.raises(Problem, match="at most 20"):
        await to_register(world, person_id)


async def test_renamed_and_deleted_by_their_person_alone(world: World) -> None:
    person_id, other_id, key = await world.person(), await world.person(OTHER_PHONE), Authenticator()
    passkey_id = decode(Prefix.PASSKEY, (await register(world, person_id, key)).id)
    with pytest.raises(Problem, match="No such passkey"):
        await rename_passkey(world.database, world.book, passkey_id, other_id, "mine")
    with pytest.raises(Problem, match="No such passkey"):
        await delete_passkey(world.database, world.book, passkey_id, other_id, world.at)
    renamed = await rename_passkey(world.database, world.book, passkey_id, person_id, "the blue key")
    assert renamed.name == "the blue key"
    gone = await delete_passkey(world.database, world.book, passkey_id, person_id, world.at)
    assert gone.status is PasskeyStatus.DELETED
    with pytest.raises(Problem, match="No such passkey"):
        await delete_passkey(world.database, world.book, passkey_id, person_id, world.at)
    assert await is_refused(enter(world, key.answer(await to_sign_in(world))))
    with pytest.raises(Problem, match="no passkey"):
        await to_confirm(world, person_id)
    await register(world, person_id, key)  # the same authenticator may come back


async def test_a_revoked_device_takes_along_what_it_alone_holds(world: World) -> None:
    person_id, opened = await world.person(), await world.sign_in()
    assert opened.device_id is not None
    bound, synced = Authenticator(), Authenticator(counts=False, synced=True)
    stick = Authenticator(attachment="cross-platform")
    views = [await register(world, person_id, key, opened.device_id) for key in (bound, synced, stick)]
    assert [view.device is not None for view in views] == [True, False, False]
    await revoke_device(world.database, world.book, opened.device_id, person_id, None, world.at)
    assert await is_refused(enter(world, bound.answer(await to_sign_in(world))))
    for key in (synced, stick):
        assert not await is_refused(enter(world, key.answer(await to_sign_in(world))))


async def test_a_frozen_person_neither_enters_nor_adds_one(world: World) -> None:
    person_id, synced, bound = await world.person(), Authenticator(counts=False, synced=True), Authenticator()
    device_id = (await world.sign_in()).device_id
    await register(world, person_id, synced)
    await register(world, person_id, bound, device_id)
    options = await to_register(world, person_id)
    await freeze_person(world.database, world.book, world.ids, person_id, world.act(person_id))
    with pytest.raises(Problem, match="frozen"):
        await enter(world, synced.answer(await to_sign_in(world)))
    with pytest.raises(Problem, match="frozen"):
        await keep(world, person_id, Authenticator().make(options))
    act = world.act(person_id, "unfreeze_person")
    await unfreeze_person(world.database, world.book, world.ids, person_id, act)
    assert not await is_refused(enter(world, synced.answer(await to_sign_in(world))))
    assert await is_refused(enter(world, bound.answer(await to_sign_in(world)))), "the lost phone holds it"


async def test_erasure_leaves_no_passkey(world: World) -> None:
    person_id, key = await world.person(), Authenticator()
    await register(world, person_id, key)
    await freeze_person(world.database, world.book, world.ids, person_id, world.act(person_id))
    await erase_person(world.database, world.vault, world.book, world.ids, person_id, world.act(person_id))
    async with world.database.read() as db:
        assert await db.fetchval("select count(*) from passkey") == 0


async def test_revoking_all_is_one_persons(world: World) -> None:
    person_id, other_id = await world.person(), await world.person(OTHER_PHONE)
    keys = {}
    for owner_id, phone in ((person_id, PHONE), (other_id, OTHER_PHONE)):
        opened, keys[owner_id] = await world.sign_in(phone), Authenticator()
        await register(world, owner_id, keys[owner_id], opened.device_id)
    async with world.database.transaction() as db:
        await revoke_all(db, world.book.bucket_of(person_id), person_id, world.at)
    assert await is_refused(enter(world, keys[person_id].answer(await to_sign_in(world))))
    assert not await is_refused(enter(world, keys[other_id].answer(await to_sign_in(world))))


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
SHAPED = st.fixed_dictionaries(
    {
        "id": st.text(max_size=8),
        "rawId": st.text(alphabet="ABCD-_=", max_size=8) | ANY_JSON,
        "type": st.just("public-key") | st.text(max_size=5),
        "response": st.fixed_dictionaries(
            {
                "clientDataJSON": st.text(alphabet="eyJ0eXAiOi", max_size=40) | ANY_JSON,
                "attestationObject": st.text(alphabet="o2NmbXRkbm", max_size=40) | ANY_JSON,
                "authenticatorData": st.text(alphabet="AQB", max_size=60) | ANY_JSON,
                "signature": st.text(alphabet="AQB", max_size=20),
                "userHandle": st.none() | st.text(alphabet="AQB", max_size=30),
            }
        ),
    }
)


@given(st.text(max_size=60) | ANY_JSON.map(json.dumps) | SHAPED.map(json.dumps))
def test_whatever_is_sent_is_a_refusal_and_no_failure(text: str) -> None:
    rules.read_assertion(text)
    assert rules.verify_registration(text, b"c" * 48, PARTY) is None


@given(
    field=st.sampled_from(["clientDataJSON", "authenticatorData", "signature"]),
    place=st.integers(0, 999),
    letter=st.sampled_from("ABCDEFGHabcdefgh0123-_"),
)
def test_a_changed_byte_is_a_refusal(field: str, place: int, letter: str) -> None:
    """Any one character of the signed parts changed: nothing is accepted, and nothing fails."""
    key, challenge = Authenticator(), b"i" * 16 + b"r" * 32
    options = rules.options_to_register(PARTY, challenge, UUID(int=7), "1**1", [])
    made = rules.verify_registration(key.make(options), challenge, PARTY)
    assert made is not None
    answer = json.loads(key.answer(rules.options_to_prove(PARTY, challenge, [])))
    text = answer["response"][field]
    place %= len(text) - 1  # the last character may carry bits that mean nothing
    changed = text[:place] + letter + text[place + 1 :]
    assume(changed != text)
    answer["response"][field] = changed
    assertion = rules.read_assertion(json.dumps(answer))
    if assertion is not None:
        passkey = _passkey_of(made)
        assert rules.verify_assertion(assertion, passkey, challenge, PARTY) is None


def _passkey_of(made: Any) -> Any:
    return Passkey(
        id=UUID(int=1), person_id=UUID(int=7), credential_id=made.credential_id, public_key=made.public_key,
        sign_count=0, name="", device_id=None, status=PasskeyStatus.ACTIVE, created_at=NOON, used_at=None,
    )  # fmt: skip


REQUEST = {"order": "ord_1", "quote_option": "qte_1.1", "capture": "now", "payer": None}


def test_the_digest_is_of_the_whole_request_but_its_proof() -> None:
    one = digest_of_request("create_payment", "", REQUEST)
    assert one == digest_of_request("create_payment", "", REQUEST | {"confirmation": {"kind": "passkey"}})
    assert one == digest_of_request(
        "create_payment", "", {"quote_option": "qte_1.1", "order": "ord_1", "capture": "now"}
    )
    others = [
        digest_of_request("confirm_payment", "", REQUEST),
        digest_of_request("create_payment", "pay_1", REQUEST),
        *(digest_of_request("create_payment", "", REQUEST | {name: "other"}) for name in REQUEST),
    ]
    assert len({one, *others}) == 1 + len(others)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://pay.example.com", "pay.example.com"),
        ("http://localhost:8000", "localhost"),
        ("https://a.b:8443", "a.b"),
    ],
)
def test_the_relying_party_is_the_host_of_the_pages(origin: str, host: str) -> None:
    assert relying_party_of(origin) == RelyingParty(host, origin)
