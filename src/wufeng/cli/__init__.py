"""The `wufeng` command. One file a group of commands; a group is imported when it is called, so that each
starts quickly.
"""

import importlib
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import Annotated

import typer

from wufeng.base.errors import ConfigurationError, Problem
from wufeng.cli.output import complain, print_line

COMMANDS = {
    "init": "wufeng.cli.init",
    "demo": "wufeng.cli.demo",
    "serve": "wufeng.cli.serve",
    "config": "wufeng.cli.config",
    "doctor": "wufeng.cli.doctor",
    "migrate": "wufeng.cli.migrate",
    "staff": "wufeng.cli.staff",
    "ledger": "wufeng.cli.ledger",
    "product": "wufeng.cli.product",
    "close": "wufeng.cli.close",
    "backup": "wufeng.cli.backup",
    "listen": "wufeng.cli.listen",
    "openid-provider": "wufeng.cli.openid_provider",
    "play": "wufeng.cli.play",
    "prove": "wufeng.cli.prove",
    "conformance": "wufeng.cli.conformance",
    "bench": "wufeng.cli.bench",
}
"""The commands in the order of the help. A module has a function `command`, or a group of them: a typer.Typer
`commands`.
"""

NOT_DONE = 2
INTERRUPTED = 130


def _version(asked: bool) -> None:
    if asked:
        print_line(f"wufeng {version('wufeng')}")
        raise typer.Exit


def command_line(words: Sequence[str]) -> typer.Typer:
    """The parser for these words: with one command when they begin with its name, else with all."""
    app = typer.Typer(
        help="Wufeng: mobile payment with consumer credit built in.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=False,
        rich_markup_mode=None,
    )
    app.callback()(_options)
    for name in [words[0]] if words and words[0] in COMMANDS else COMMANDS:
        module = importlib.import_module(COMMANDS[name])
        if hasattr(module, "command"):
            app.command(name=name)(module.command)
        else:
            app.add_typer(module.commands, name=name)
    return app


def _options(
    version_: Annotated[
        bool, typer.Option("--version", help="Print the version and end.", is_eager=True, callback=_version)
    ] = False,
) -> None:
    """Wufeng: mobile payment with consumer credit built in."""


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line; ends the process.

    Exit code 0: done; 1: done, and it found something wrong; 2: not done, and the line on standard error says why.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        command_line(words)(args=words, prog_name="wufeng")
    except (ConfigurationError, Problem) as error:
        complain(error, as_json="--json" in words)
        sys.exit(NOT_DONE)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        sys.stderr.close()
        sys.exit(0)
