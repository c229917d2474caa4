"""Bank accounts of a person: where their money comes from and goes to."""

from typing import Annotated

from msgspec import Meta, Struct

from wufeng.api.bodies import ListQuery, starting_after
from wufeng.api.routing import Call, Nothing, Route, reply, reply_list
from wufeng.base.claims import Answer
from wufeng.base.ids import Prefix
from wufeng.identity.bank_accounts.commands import add_bank_account, delete_bank_account
from wufeng.identity.bank_accounts.model import BankAccountView
from wufeng.identity.bank_accounts.queries import FIRST, list_bank_accounts
from wufeng.identity.bank_accounts.rules import view_of
from wufeng.identity.vault import Private


class CreateBankAccount(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A bank account or debit card; the bank says whether it is the person's."""

    number: Annotated[str, Meta(min_length=1, max_length=40, examples=["6222021234567890123"])]
    bank: Annotated[str, Meta(min_length=1, max_length=16, examples=["ICBC"])]

    def __repr__(self) -> str:
        return "CreateBankAccount(…)"


class BankAccountList(Struct, frozen=True, kw_only=True):
    """A page of bank accounts."""

    data: list[BankAccountView]
    next: str | None
    has_more: bool


async def create_bank_account(call: Call[CreateBankAccount, Nothing]) -> Answer:
    """Add a bank account, unverified until the bank has answered."""
    services, body = call.services, call.body
    account = await add_bank_account(
        services.database,
        services.vault,
        services.ids,
        call.book,
        call.caller.id,
        body.bank,
        Private(body.number),
        call.at,
    )
    return reply(view_of(account), 201, account.id)


async def get_bank_accounts(call: Call[Nothing, ListQuery]) -> Answer:
    """The caller's bank accounts."""
    after = starting_after(call.query, Prefix.BANK_ACCOUNT, "bank account") or FIRST
    services, limit = call.services, call.query.limit
    async with services.database.read() as db:
        found = await list_bank_accounts(db, services.vault, call.book, call.caller.id, after, limit + 1)
    return reply_list(found, limit)


async def remove_bank_account(call: Call[Nothing, Nothing]) -> Answer:
    """Delete one; what is under way with it still ends."""
    account_id, services = call.path_id(Prefix.BANK_ACCOUNT, "bank account"), call.services
    deleted = await delete_bank_account(
        services.database, services.vault, call.book, call.caller.id, account_id, call.at
    )
    return reply(view_of(deleted))


ROUTES = (
    Route(
        method="POST",
        path="/v1/bank_accounts",
        operation="create_bank_account",
        summary="Add a bank account",
        handle=create_bank_account,
        body=CreateBankAccount,
        answers={201: BankAccountView},
    ),
    Route(
        method="GET",
        path="/v1/bank_accounts",
        operation="list_bank_accounts",
        summary="Bank accounts of the caller",
        handle=get_bank_accounts,
        query=ListQuery,
        answers={200: BankAccountList},
    ),
    Route(
        method="DELETE",
        path="/v1/bank_accounts/{id}",
        operation="delete_bank_account",
        summary="Delete a bank account",
        handle=remove_bank_account,
        answers={200: BankAccountView},
    ),
)
