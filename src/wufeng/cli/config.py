"""`wufeng config`: the settings as this process sees them."""

import typer

from wufeng.base.config import Settings, load_settings, secrets_path, shown
from wufeng.cli.output import AsJson, print_json, print_line, print_table

commands = typer.Typer(help="Show the settings.", no_args_is_help=True)


@commands.callback()
def _group() -> None:
    """Show the settings."""


@commands.command()
def show(as_json: AsJson = False) -> None:
    """Print every setting; passwords in URLs are masked, and secrets are no settings."""
    settings = load_settings()
    values = shown(settings)
    if as_json:
        print_json(values)
        return
    standard = shown(Settings(data_dir=settings.data_dir))
    print_table(
        ["setting", "value", ""],
        [
            (name, _text(value), "" if value == standard[name] else "changed")
            for name, value in values.items()
        ],
    )
    print_line(f"Secrets: {secrets_path(settings)} (never shown)")


def _text(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} = {text}" for name, text in value.items())
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
