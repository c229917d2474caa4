"""S12: seeded secrets and personal data are found in no log line, repr, error or message of PostgreSQL."""

import gc
import logging
import re
import traceback
from json import loads
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
from msgspec import Struct
from msgspec.structs import replace

from wufeng.base.config import Settings
from wufeng.base.embedded import EmbeddedServer
from wufeng.base.errors import Problem
from wufeng.identity.bank_accounts.commands import add_bank_account
from wufeng.identity.codes.commands import verify_code
from wufeng.identity.codes.model import CodePurpose, SignUp
from wufeng.identity.documents.commands import Registry, verify_outside
from wufeng.identity.documents.model import Asked, DocumentKind
from wufeng.identity.documents.rules import check_claim
from wufeng.identity.documents.verifier import TestVerifier
from wufeng.identity.keys.rules import view_of as view_of_key
from wufeng.identity.merchants.commands import create_merchant
from wufeng.identity.merchants.model import FeePlan, Scene
from wufeng.identity.merchants.rules import view_of as view_of_merchant
from wufeng.identity.passkeys.commands import ask_to_register, ask_to_sign_in, register_passkey
from wufeng.identity.passkeys.model import RelyingParty
from wufeng.identity.passkeys.rules import read_assertion
from wufeng.identity.people.commands import CreatePerson
from wufeng.identity.people.losing import Loss, freeze_by_phone
from wufeng.identity.people.phones import PhoneChange, PhoneProof, change_phone
from wufeng.identity.pins.commands import check_pin, set_pin
from wufeng.identity.pins.model import PinProof, ProofKind
from wufeng.identity.places import Place
from wufeng.identity.sessions.commands import sign_in, sign_in_with_passkey, step_up
from wufeng.identity.staff.commands import create_staff, sign_in_staff
from wufeng.identity.staff.model import Role
from wufeng.identity.vault import Private

from .authenticator import ORIGIN, Authenticator
from .conftest import World

PHONE, NAME, DOCUMENT = "+8613977315588", "司马金丝雀", "110105197703155821"
EXTERNAL_ID, BANK_NUMBER = "canary-ext-55219", "6222773155880001122"
NEW_PHONE, EVIDENCE = "+8613977315577", "canary-scan-7731"
PIN, WRONG_PIN, PASSWORD = "773158", "558813", "canary under the floor 77"


def everything_printed(things: list[object]) -> str:
    return "\n".join(f"{thing!r}\n{thing}" for thing in things)


async def live(world: World) -> tuple[list[object], list[str], list[BaseException]]:
    """A life with every secret in it: what came back, the secrets made on the way, the errors met."""
    errors: list[BaseException] = []
    things: list[object] = []
    command = CreatePerson(
        at=world.at, person_id=world.ids.new_anywhere(world.at), phone=Private(PHONE),
        external_id=Private(EXTERNAL_ID), name=Private(NAME), document=Private(DOCUMENT),
    )  # fmt: skip
    bucket = world.book.bucket_of(command.person_id)
    things += [command, await world.lanes.submit(bucket, command)]
    errors.append(await failure(world.lanes.submit(bucket, replace(command, phone=Private(PHONE + "\x00")))))
    errors.append(
        await failure(
            world.lanes.submit(bucket, replace(command, phone=Private("+8613977315599"), external_id=None))
        )
    )
    code = await world.code(PHONE, CodePurpose.PIN)
    await set_pin(
        world.database, world.vault, world.book, command.person_id, Private(PIN),
        PinProof(ProofKind.CODE, Private(code)), world.at,
    )  # fmt: skip
    opened = await world.sign_in(PHONE)
    raised = await step_up(
        world.database,
        world.vault,
        world.ids,
        world.book,
        opened.session_id,
        command.person_id,
        Private(PIN),
        world.at,
    )
    account = await add_bank_account(
        world.database,
        world.vault,
        world.ids,
        world.book,
        command.person_id,
        "ICBC",
        Private(BANK_NUMBER),
        world.at,
    )
    things += await verified(world, command.person_id, errors)
    merchant, key = await create_merchant(
        world.database, world.ids, world.book, "Shop", Scene.RETAIL, FeePlan(0), world.at
    )
    async with world.database.read() as db:
        await create_staff(
            db, world.vault, world.ids, "mei", "Mei", Private(PASSWORD), Role.ADMIN, [world.book], world.at
        )
        phone = await db.fetchrow("select phone from personal_data")
    staff = await sign_in_staff(
        world.database, world.vault, world.ids, world.books, "mei", Private(PASSWORD), None, world.at
    )
    things += [
        opened,
        raised,
        account,
        key,
        staff,
        phone,
        view_of_key(key.key, key.text),
        view_of_merchant(merchant, key.text),
    ]
    things += [
        await world.authenticator.authenticate(f"Bearer {token}")
        for token in (raised.token, key.text, staff.token)
    ]
    errors.append(await failure(world.authenticator.authenticate(f"Bearer {opened.token}")))
    errors.append(await failure(world.authenticator.authenticate(f"Bearer {opened.token}x")))
    things.append(
        await check_pin(
            world.database, world.vault, world.book, command.person_id, Private(WRONG_PIN), world.at
        )
    )
    errors.append(await failure(verify_code(
        world.database, world.vault, world.book, Private(PHONE), CodePurpose.PIN, Private(f"{code}9"), world.at
    )))  # fmt: skip
    errors.append(await failure(sign_in(
        world.lanes, world.vault, world.book, Private(f"{PHONE}#"), Private(code), "", SignUp.CLOSED, world.at
    )))  # fmt: skip
    errors.append(await failure(add_bank_account(
        world.database, world.vault, world.ids, world.book, command.person_id, "ICBC", Private(BANK_NUMBER), world.at
    )))  # fmt: skip
    errors.append(await failure(sign_in_staff(
        world.database, world.vault, world.ids, world.books, "mei", Private(PASSWORD + "x"), None, world.at
    )))  # fmt: skip
    assert opened.device_proof is not None
    answers = await live_with_passkey(world, command.person_id, things, errors)
    secrets = [code, opened.token, opened.device_proof, raised.token, key.text, staff.token, *answers]
    return things, secrets, errors


async def live_with_passkey(
    world: World, person_id: UUID, things: list[object], errors: list[BaseException]
) -> list[str]:
    """A passkey made, used and misused: the signatures that it gave."""
    party, passkey = RelyingParty("localhost", ORIGIN), Authenticator()
    base = (world.database, world.ids, world.book, party)
    asked = await ask_to_register(
        world.database, world.vault, world.ids, world.book, party, person_id, world.at
    )
    made = Private(passkey.make(asked.options))
    things += [asked, await register_passkey(*base, person_id, None, "phone", made, world.at)]
    to_sign_in = (world.database, world.vault, world.ids, world.book, party, world.at)
    answer = passkey.answer((await ask_to_sign_in(*to_sign_in)).options)
    things += [read_assertion(answer), await sign_in_with_passkey(*base, Private(answer), "", world.at)]
    errors.append(await failure(sign_in_with_passkey(*base, Private(answer), "", world.at)))
    forged = passkey.answer((await ask_to_sign_in(*to_sign_in)).options, flags=0)
    errors.append(await failure(sign_in_with_passkey(*base, Private(forged), "", world.at)))
    return [loads(text)["response"]["signature"] for text in (answer, forged)]


async def verified(world: World, person_id: UUID, errors: list[BaseException]) -> list[object]:
    """A document checked, another number asked for, and a phone said to be lost: nothing of it is printed."""
    registry = Registry(world.database, world.vault, world.ids, TestVerifier())
    on = world.book.business_date(world.at)
    claimed = check_claim(DocumentKind.RESIDENT_ID, NAME, DOCUMENT, EVIDENCE, on)
    asked = Asked(person_id, Private(PHONE), claimed)
    change = PhoneChange(
        phone=Private(NEW_PHONE), code=Private("000000"), how=PhoneProof.PIN, proof=Private(WRONG_PIN)
    )
    loss = Loss(Private(PHONE), Private("000000"), Private(WRONG_PIN), Private(DOCUMENT))
    place = Place("203.0.113.9")
    act = world.act(person_id, "change_phone", "")
    for refused in (
        change_phone(world.database, world.vault, None, world.ids, world.book, person_id, change, act, place),
        freeze_by_phone(
            world.database, world.vault, None, world.ids, world.book, loss, world.at, place, "req_1"
        ),
        verify_outside(registry, world.book, UUID(int=1), claimed, world.at),
    ):
        errors.append(await failure(refused))
    with pytest.raises(Problem) as refused_number:
        check_claim(DocumentKind.RESIDENT_ID, NAME, DOCUMENT[:-1] + "2", None, on)
    errors.append(refused_number.value)
    return [
        claimed,
        asked,
        change,
        loss,
        await verify_outside(registry, world.book, person_id, claimed, world.at),
    ]


async def failure(awaitable: object) -> BaseException:
    with pytest.raises((Problem, asyncpg.PostgresError)) as refused:
        await awaitable  # type: ignore[misc]
    return refused.value


async def test_no_canary_is_printed(
    world: World, server: EmbeddedServer, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    logs_before = {path: path.stat().st_size for path in server_logs(server)}
    things, secrets, errors = await live(world)
    await world.authenticator.drain()
    canaries = [
        PHONE,
        PHONE[3:],
        NAME,
        DOCUMENT,
        EXTERNAL_ID,
        EVIDENCE,
        NEW_PHONE,
        BANK_NUMBER,
        PIN,
        WRONG_PIN,
        PASSWORD,
        *secrets,
    ]
    captured = capfd.readouterr()
    sinks = {
        "reprs": everything_printed([*things, *private_structs()]),
        "errors": "\n".join("".join(traceback.format_exception(error)) for error in errors),
        "records": "\n".join(repr(vars(record)) for record in caplog.records),
        "log": caplog.text,
        "output": captured.out + captured.err,
        "database log": "".join(
            path.read_bytes()[logs_before.get(path, 0) :].decode("utf-8", "replace")
            for path in server_logs(server)
        ),
    }
    found = [(sink, canary) for sink, text in sinks.items() for canary in canaries if canary in text]
    assert found == []
    assert len(errors) >= 7 and sinks["reprs"].count("Private(…)") >= 4


def private_structs() -> list[object]:
    """Every struct of identity that is alive now, such as what hangs on a traceback."""
    return [
        thing
        for thing in gc.get_objects()
        if isinstance(thing, Struct)
        and type(thing).__module__.startswith("wufeng.identity")
        and type(thing).__name__ not in ("Message", "MessageView")  # a test book's messages show their codes
    ]


def server_logs(server: EmbeddedServer) -> list[Path]:
    return [path for path in server.directory.rglob("*.log") if path.is_file()]


def test_the_server_does_not_log_parameters(server_settings: Settings) -> None:
    """Values reach PostgreSQL as parameters only: no identity statement holds a literal from outside."""
    for path in (Path(__file__).parents[2] / "src/wufeng/identity").rglob("*.py"):
        source = path.read_text()
        assert not re.search(r"(fetch|fetchrow|fetchval|execute)\(\s*f?[\"']", source), path
