"""Merchants, and the API keys of merchants and of the operator's server."""

from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta, Struct

from wufeng.api.bodies import ListQuery, MerchantId, Reason, starting_after
from wufeng.api.routing import Call, Nothing, Route, reply, reply_list
from wufeng.base.claims import Answer
from wufeng.base.database import Connection
from wufeng.base.errors import not_found
from wufeng.base.ids import Prefix, decode
from wufeng.identity import CallerKind, act_of, own_merchant
from wufeng.identity.audit.rules import check_reason
from wufeng.identity.keys.commands import issue_key, withdraw_key
from wufeng.identity.keys.model import ApiKeyView, Scope
from wufeng.identity.keys.queries import FIRST, list_keys
from wufeng.identity.keys.rules import platform_id
from wufeng.identity.keys.rules import view_of as view_of_key
from wufeng.identity.merchants.commands import close_merchant, create_merchant, set_return_origins
from wufeng.identity.merchants.model import FeePlan, MerchantView, Scene
from wufeng.identity.merchants.queries import load_merchant
from wufeng.identity.merchants.rules import view_of

Name = Annotated[str, Meta(min_length=1, max_length=100)]
Origin = Annotated[
    str, Meta(min_length=1, max_length=255, pattern=r"^https?://[!-~]+$", examples=["https://shop.example"])
]
Origins = Annotated[list[Origin], Meta(max_length=20)]


class CreateMerchant(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who sells, where payments to it happen, what it pays; and where its checkouts may send people back to."""

    name: Name
    scene: Scene
    fee_plan: FeePlan
    return_origins: Origins = []


class SetReturnOrigins(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of them; none: anywhere by https."""

    return_origins: Origins


class CloseMerchant(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why."""

    reason: Reason


class KeysQuery(ListQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose keys: a merchant's; absent: the caller's own, for staff the operator's server's."""

    merchant: MerchantId | None = None


class CreateApiKey(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key for the caller itself, or for a merchant of the operator's.

    scopes  what it may be used for; absent: all that the caller can give
    addresses  ranges (CIDR) that it may be used from; none: from anywhere
    """

    name: Name
    merchant: MerchantId | None = None
    scopes: Annotated[list[Scope], Meta(min_length=1, max_length=20)] | None = None
    addresses: Annotated[list[Annotated[str, Meta(max_length=50)]], Meta(max_length=50)] = []


class KeyList(Struct, frozen=True, kw_only=True):
    """A page of keys, without their secrets."""

    data: list[ApiKeyView]
    next: str | None
    has_more: bool


async def post_merchant(call: Call[CreateMerchant, Nothing]) -> Answer:
    """Make a merchant; the answer alone holds its first key."""
    services, body = call.services, call.body
    merchant, key = await create_merchant(
        services.database,
        services.ids,
        call.book,
        body.name,
        body.scene,
        body.fee_plan,
        call.at,
        body.return_origins,
    )
    return reply(view_of(merchant, key.text), 201, merchant.id)


async def get_merchant(call: Call[Nothing, Nothing]) -> Answer:
    """One merchant."""
    merchant_id = call.path_id(Prefix.MERCHANT, "merchant")
    own_merchant(call.caller, merchant_id)
    async with call.services.database.read() as db:
        return reply(view_of(await load_merchant(db, call.book, merchant_id)))


async def post_close(call: Call[CloseMerchant, Nothing]) -> Answer:
    """Close a merchant for good: no new payment, but refunds and reading."""
    services, merchant_id = call.services, call.path_id(Prefix.MERCHANT, "merchant")
    own_merchant(call.caller, merchant_id)
    reason = check_reason(call.body.reason)
    act = act_of(
        call.caller, "close_merchant", Prefix.MERCHANT, merchant_id, call.at, call.request_id, reason
    )
    await close_merchant(services.database, services.merchants, call.book, services.ids, merchant_id, act)
    async with services.database.read() as db:
        return reply(view_of(await load_merchant(db, call.book, merchant_id)))


async def post_return_origins(call: Call[SetReturnOrigins, Nothing]) -> Answer:
    """Say where the merchant's checkouts may send people back to; it holds for checkouts made from now on."""
    services, merchant_id = call.services, call.path_id(Prefix.MERCHANT, "merchant")
    own_merchant(call.caller, merchant_id)
    act = act_of(call.caller, "set_return_origins", Prefix.MERCHANT, merchant_id, call.at, call.request_id)
    origins = call.body.return_origins
    merchant = await set_return_origins(
        services.database, services.merchants, call.book, services.ids, merchant_id, origins, act
    )
    return reply(view_of(merchant))


async def get_keys(call: Call[Nothing, KeysQuery]) -> Answer:
    """Keys of one owner, the revoked ones too."""
    after = starting_after(call.query, Prefix.API_KEY, "API key") or FIRST
    async with call.services.database.read() as db:
        merchant_id = await _merchant(call, db, call.query.merchant)
        owner_id = platform_id(call.book.id) if merchant_id is None else merchant_id
        found = await list_keys(db, call.book, owner_id, after, call.query.limit + 1)
    return reply_list(found, call.query.limit)


async def post_key(call: Call[CreateApiKey, Nothing]) -> Answer:
    """Make a key; the answer alone holds its secret. Several may live at once, so that they can be rotated."""
    services, body = call.services, call.body
    async with services.database.read() as db:
        merchant_id = await _merchant(call, db, body.merchant)
    key = await issue_key(
        services.database,
        services.ids,
        call.caller,
        merchant_id,
        body.name,
        body.scopes,
        call.at,
        call.request_id,
        body.addresses,
    )
    return reply(view_of_key(key.key, key.text), 201, key.key.id)


async def delete_key(call: Call[Nothing, Nothing]) -> Answer:
    """Revoke a key: the next request with it is unauthenticated."""
    services, key_id = call.services, call.path_id(Prefix.API_KEY, "API key")
    key = await withdraw_key(services.database, services.ids, call.caller, key_id, call.at, call.request_id)
    return reply(view_of_key(key))


async def _merchant(call: Call[Any, Any], db: Connection, named: str | None) -> UUID | None:
    """Whose keys are meant: a merchant of the book, the caller itself if it is one; None for the operator's server."""
    if named is None:
        return call.caller.merchant_id
    merchant_id = decode(Prefix.MERCHANT, named)
    if call.caller.kind is CallerKind.MERCHANT and merchant_id != call.caller.merchant_id:
        raise not_found("merchant")
    return (await load_merchant(db, call.book, merchant_id)).id


ROUTES = (
    Route(
        method="POST",
        path="/v1/merchants",
        operation="create_merchant",
        summary="Make a merchant",
        handle=post_merchant,
        body=CreateMerchant,
        answers={201: MerchantView},
    ),
    Route(
        method="GET",
        path="/v1/merchants/{id}",
        operation="get_merchant",
        summary="One merchant",
        handle=get_merchant,
        answers={200: MerchantView},
    ),
    Route(
        method="POST",
        path="/v1/merchants/{id}/close",
        operation="close_merchant",
        summary="Close a merchant for good",
        handle=post_close,
        body=CloseMerchant,
        answers={200: MerchantView},
    ),
    Route(
        method="POST",
        path="/v1/merchants/{id}/return_origins",
        operation="set_return_origins",
        summary="Say where a merchant's checkouts may send people back to",
        handle=post_return_origins,
        body=SetReturnOrigins,
        answers={200: MerchantView},
    ),
    Route(
        method="GET",
        path="/v1/api_keys",
        operation="list_api_keys",
        summary="API keys of the caller or of a merchant",
        handle=get_keys,
        query=KeysQuery,
        answers={200: KeyList},
    ),
    Route(
        method="POST",
        path="/v1/api_keys",
        operation="create_api_key",
        summary="Make an API key",
        handle=post_key,
        body=CreateApiKey,
        answers={201: ApiKeyView},
    ),
    Route(
        method="DELETE",
        path="/v1/api_keys/{id}",
        operation="revoke_api_key",
        summary="Revoke an API key",
        handle=delete_key,
        answers={200: ApiKeyView},
    ),
)
