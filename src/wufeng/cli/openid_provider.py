"""`wufeng openid-provider`: a test provider of OpenID Connect on this machine, to try sign-in with."""

import asyncio
import contextlib
from typing import Annotated, Any

import typer
from granian.constants import Interfaces
from granian.server.embed import Server

from wufeng.base.clock import SystemClock
from wufeng.cli.output import print_line
from wufeng.lab.openid_provider.app import TestProvider

CLIENT_ID = "wufeng"


def command(
    port: Annotated[int, typer.Option(min=1, max=65_535, help="TCP port on 127.0.0.1.")] = 9400,
    wufeng: Annotated[
        str, typer.Option(help="Address of the Wufeng that its people sign in to.")
    ] = "http://127.0.0.1:8000",
) -> None:
    """Serve a provider that signs in whoever says so, on this machine alone, until Ctrl-C. Never for a live book."""
    issuer = f"http://127.0.0.1:{port}"
    callback = f"{wufeng.rstrip('/')}/app/openid/callback"
    clock = SystemClock()
    provider = TestProvider(issuer, CLIENT_ID, frozenset({callback}), None, lambda: clock.now().timestamp())
    print_line(
        f"The test provider is {issuer}. Wufeng signs in with it by these lines in wufeng.toml,", "bold"
    )
    print_line(f"with the name of one of your test books in place of test:\n\n{_lines(issuer, callback)}")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(provider, port))


async def _serve(provider: Any, port: int) -> None:
    server = Server(provider, address="127.0.0.1", port=port, interface=Interfaces.ASGINL, log_enabled=False)
    await server.serve()


def _lines(issuer: str, callback: str) -> str:
    return (
        "[openid.test]\n"
        f'issuer = "{issuer}"\nclient_id = "{CLIENT_ID}"\ncallback_url = "{callback}"\n'
        'name = "the test provider"\nsign_up = true\n'
    )
