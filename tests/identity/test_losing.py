"""A lost phone, without a session: everything stops, and known and unknown numbers cannot be told apart."""

import secrets
from uuid import UUID

import pytest

from wufeng.base.errors import Code, Problem
from wufeng.identity.audit.queries import list_audit_entries
from wufeng.identity.codes.model import CodePurpose
from wufeng.identity.codes.store import MessageTable
from wufeng.identity.people.losing import Loss, freeze_by_phone
from wufeng.identity.people.model import PersonStatus
from wufeng.identity.people.queries import person_of_phone, show_person
from wufeng.identity.places import NOWHERE
from wufeng.identity.vault import Private

from .conftest import PHONE, PIN, World
from .test_documents import number_of
from .test_phones import notices

UNKNOWN = "+8613900009999"


async def lose(
    world: World,
    phone: str = PHONE,
    code: str | None = None,
    pin: str | None = PIN,
    document: str | None = None,
) -> Problem | None:
    if code is None:
        code = await world.code(phone, CodePurpose.FREEZE)
    loss = Loss(
        Private(phone), Private(code), Private(pin) if pin else None, Private(document) if document else None
    )
    try:
        await freeze_by_phone(
            world.database,
            world.vault,
            MessageTable(),
            world.ids,
            world.book,
            loss,
            world.at,
            NOWHERE,
            "req_1",
        )
    except Problem as problem:
        return problem
    return None


async def status_of(world: World, person_id: UUID) -> PersonStatus:
    async with world.database.read() as db:
        return (await show_person(db, world.vault, world.book, person_id)).status


async def test_by_code_and_pin(world: World) -> None:
    person_id = await world.person()
    await world.set_pin(person_id)
    opened = await world.sign_in()
    assert await lose(world) is None
    assert await status_of(world, person_id) is PersonStatus.FROZEN
    with pytest.raises(Problem):
        await world.authenticator.authenticate(f"Bearer {opened.token}")
    async with world.database.read() as db:
        assert await db.fetchval("select count(*) from device where revoked_at is null") == 0
        [entry] = await list_audit_entries(db, world.book, person_id)
    assert entry.operation == "freeze_by_phone"
    [told] = await notices(world, PHONE)
    assert "frozen" in told
    code = await world.code(PHONE)
    assert code, "the number still gets codes, but"
    with pytest.raises(Problem) as refused:
        await world.sign_in()
    assert refused.value.code is Code.FORBIDDEN


async def test_by_code_and_document(world: World) -> None:
    assert isinstance(await world.create(PHONE, "u1", "张三", number_of()), tuple)
    async with world.database.read() as db:
        person_id = await person_of_phone(db, world.vault, world.book, Private(PHONE))
    assert person_id is not None
    refused = await lose(world, pin=None, document=number_of("004"))
    assert refused is not None and refused.code is Code.CONFIRMATION_FAILED
    assert await status_of(world, person_id) is PersonStatus.ACTIVE
    assert await lose(world, pin=None, document=number_of().lower()) is None
    assert await status_of(world, person_id) is PersonStatus.FROZEN


@pytest.mark.parametrize(
    "shown", [{"pin": "558813"}, {"pin": None, "document": "E12345678"}], ids=["pin", "document"]
)
async def test_known_and_unknown_numbers_hear_the_same(
    world: World, shown: dict[str, str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    any_below = secrets.randbelow  # few codes there may be: `code_of` tries them all
    monkeypatch.setattr(secrets, "randbelow", lambda most: 1 + any_below(most // 1_000))
    await world.set_pin(await world.person())
    told = []
    for phone in (PHONE, UNKNOWN):
        await world.send(phone, CodePurpose.FREEZE)
        wrong = await lose(world, phone, "000000", **shown)
        assert wrong is not None
        told.append((wrong.code, wrong.detail, wrong.extra))
    assert told[0] == told[1] == (Code.CONFIRMATION_FAILED, "The code was not accepted.", {"tries_left": 4})
    proofs = []
    for phone in (PHONE, UNKNOWN):
        await world.send(phone, CodePurpose.FREEZE)
        code = await code_of(world, phone)
        wrong = await lose(world, phone, code, **shown)
        assert wrong is not None
        proofs.append((wrong.code, wrong.detail, wrong.extra))
    assert proofs[0] == proofs[1] == (Code.CONFIRMATION_FAILED, "The proof was not accepted.", {})
    assert await world.messages(UNKNOWN) == [], "nothing is sent to a number that nobody has"


async def code_of(world: World, phone: str) -> str:
    """The code of a phone that was sent none, as whoever guesses it right would have it: found by trying all."""
    name = world.vault.name("phone", world.book.id, phone)
    async with world.database.read() as db:
        wanted = await db.fetchval(
            "select code_hash from one_time_code where phone_name = $1 and purpose = 'freeze'", name
        )
    for number in range(1_000_000):
        code = f"{number:06d}"
        if world.vault.code_hash(name, "freeze", Private(code)) == wanted:
            return code
    raise AssertionError("a code has six digits")


async def test_a_code_for_another_purpose_freezes_nobody(world: World) -> None:
    person_id = await world.person()
    await world.set_pin(person_id)
    refused = await lose(world, code=await world.code(PHONE, CodePurpose.SIGN_IN))
    assert refused is not None and refused.code is Code.CONFIRMATION_FAILED
    assert await status_of(world, person_id) is PersonStatus.ACTIVE
