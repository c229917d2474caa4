"""`wufeng product`: for those who write products: check a file, see its prices, make it known."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer
from msgspec import Struct

from wufeng.base.books import Books
from wufeng.base.books import Mode as BookMode
from wufeng.base.clock import Clock, SystemClock
from wufeng.base.config import load_settings
from wufeng.base.errors import ConfigurationError
from wufeng.base.money import parse_major
from wufeng.base.rates import percent_text, year_text
from wufeng.cli.output import AsJson, amount, print_json, print_line, print_table
from wufeng.cli.running import books_of, database, is_installed, run
from wufeng.credit import open_book, publish
from wufeng.credit.offers import RUNS_TOLD, Run
from wufeng.credit.products.ceiling import highest_rate_ppm
from wufeng.credit.products.files import Mistake, examine_product, shipped_products, source_of
from wufeng.credit.products.model import OPENING, STANDARD, Cycle, Mode, Pieces, Product, Shipped
from wufeng.credit.products.preview import LATE_DAYS, Preview, Schedule, preview
from wufeng.credit.products.rules import YEARS, check_notice
from wufeng.credit.products.store import load_products

FOUND_SOMETHING = 1
WHOLE = 1_000_000

commands = typer.Typer(
    help="Write credit products: check a file, see its prices, make it known to the servers.",
    no_args_is_help=True,
)

Files = Annotated[list[Path], typer.Argument(metavar="FILE...", help="Product files (TOML).")]
Which = Annotated[
    str,
    typer.Argument(
        metavar="FILE|ID", help="A product file; or a product's id, its newest version, or ID@VERSION."
    ),
]


class Checked(Struct, frozen=True):
    """What became of a file: the product's key figures, or the mistakes in it."""

    file: str
    product: str | None
    version: int | None
    highest_annualised_ppm: int | None
    annualised_max_ppm: int | None
    mistakes: list[Mistake]


@commands.command()
def check(files: Files, as_json: AsJson = False) -> None:
    """Say everything that is wrong with product files, by file, line and field. Exit code 1: something is."""
    examined = [(str(path), examine_product(source_of(path), str(path))) for path in files]
    if as_json:
        print_json([_checked(file, found) for file, found in examined])
    for file, found in () if as_json else examined:
        if isinstance(found, Shipped):
            _show_terms(file, found.product)
        else:
            _show_mistakes(found)
    if not all(isinstance(found, Shipped) for _, found in examined):
        raise typer.Exit(FOUND_SOMETHING)


def _checked(file: str, found: Shipped | list[Mistake]) -> Checked:
    if not isinstance(found, Shipped):
        return Checked(file, None, None, None, None, found)
    product = found.product
    return Checked(
        file, product.id, product.version, highest_rate_ppm(product), product.interest.annualised_max_ppm, []
    )


def _show_mistakes(mistakes: Sequence[Mistake]) -> None:
    for mistake in mistakes:
        print_line(str(mistake), "red")


def _show_terms(file: str, product: Product) -> None:
    print_line(f"{file}: {_version(product)} may be offered", "green")
    for name, value in _terms(product):
        print_line(f"  {name:<14}{value}")


def _terms(product: Product) -> list[tuple[str, str]]:
    interest, limit = product.interest, product.limit
    tenors = ", ".join("whole" if tenor == 1 else str(tenor) for tenor in product.tenors)
    lenders = ", ".join(f"{one.name.en} {year_text(one.share_ppm)}" for one in product.lenders)
    highest, ceiling = year_text(highest_rate_ppm(product)), year_text(interest.annualised_max_ppm)
    return [
        ("name", f"{product.name.zh}, {product.name.en}"),
        ("begins on", str(product.effective_from)),
        ("mode", " (or on opening: ".join(product.modes) + (")" if len(product.modes) > 1 else "")),
        *([("bills", _bill_days(product.cycle))] if product.cycle is not None else []),
        ("paid", f"{tenors} (instalments)"),
        (
            "a day",
            f"{percent_text(interest.daily_ppm)} from the draw, {percent_text(interest.late_daily_ppm)} late",
        ),
        ("counted", _counted(product)),
        ("highest rate", f"{highest} a year, under its ceiling of {ceiling}"),
        (
            "limit",
            f"{_money(limit.minimum_minor, product)} to {_money(limit.maximum_minor, product)} {product.currency}",
        ),
        ("price lists", ", ".join((STANDARD, *(tier.code for tier in product.tiers)))),
        ("lenders", lenders),
    ]


def _bill_days(cycle: Cycle) -> str:
    day = "the day of opening" if cycle.bill_day == OPENING else f"day {cycle.bill_day}"
    due = f"{cycle.due_after_days} days later" if cycle.due_day is None else f"on day {cycle.due_day}"
    return f"on {day}, due {due}"


def _counted(product: Product) -> str:
    rounding = product.rounding
    multiple = (
        f", instalments in multiples of {_money(rounding.instalment_multiple_minor, product)}"
        if rounding.instalment_multiple_minor > 1
        else ""
    )
    each = ", each stretch of days by itself" if rounding.pieces is Pieces.EACH else ""
    return f"{product.instalments.day_count}, interest rounded {rounding.interest}{each}{multiple}"


@commands.command(name="preview")
def preview_(
    which: Which,
    amount_: Annotated[str, typer.Option("--amount", help="The price, in major units: 1299.00.")],
    tenor: Annotated[
        list[int] | None, typer.Option(help="Only this number of instalments; may be given several times.")
    ] = None,
    on: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"], help="When it becomes billable; default: today, or the product's first day."
        ),
    ] = None,
    mode: Annotated[Mode | None, typer.Option(help="Of a product with both; default: its own.")] = None,
    tier: Annotated[
        str, typer.Option(help="Whose prices: of a price list beside the standard one.")
    ] = STANDARD,
    merchant_share: Annotated[
        str, typer.Option(help="What the merchant carries of the fee or interest, such as 50%.")
    ] = "0%",
    as_json: AsJson = False,
) -> None:
    """Show what a purchase would cost: the schedule, yearly rates by four methods, and what late costs."""
    product = _at_tier(_product(which).product, tier)
    shown = preview(
        product,
        _amount(amount_, product),
        _billable_on(on, product),
        _mode(mode, product),
        _share(merchant_share),
        tenor,
    )
    if shown is None:
        raise typer.BadParameter(_why_nothing(product, tenor))
    if as_json:
        print_json(shown)
        return
    print_line(
        f"{_version(product)}  {amount(shown.amount_minor, shown.currency)} {shown.currency}, billable on {shown.on}, "
        f"{shown.mode} mode",
        "bold",
    )
    if len(shown.schedules) == 1:
        _show_rows(shown, shown.schedules[0])
    _show_schedules(shown)
    _show_late(shown)


def _billable_on(on: datetime | None, product: Product) -> date:
    if on is None:
        return max(SystemClock().now().date(), product.effective_from)
    if on.year not in YEARS:
        raise typer.BadParameter(f"lies between {YEARS[0]} and {YEARS[-1]}", param_hint="--on")
    return on.date()


def _why_nothing(product: Product, tenors: Sequence[int] | None) -> str:
    instalments = product.instalments
    known = ", ".join(map(str, product.tenors))
    if tenors and not set(tenors) & set(product.tenors):
        return f"{product.id} has no such number of instalments; it has: {known}"
    return (
        f"{product.id} does not offer that: instalments begin at {_money(instalments.minimum_minor, product)}, "
        f"and a merchant carries at most {year_text(instalments.merchant_share_max_ppm)}"
    )


def _show_rows(shown: Preview, schedule: Schedule) -> None:
    def cell(minor: int) -> str:
        return amount(minor, shown.currency)

    print_table(
        ["number", "bill date", "due date", "principal", "fee", "interest", "instalment"],
        [
            (
                row.number,
                row.bill_on,
                row.due_on,
                cell(row.principal_minor),
                cell(row.fee_minor),
                cell(row.interest_minor),
                cell(row.amount_minor),
            )
            for row in schedule.rows
        ],
    )


def _show_schedules(shown: Preview) -> None:
    print_table(
        ["tenor", "first due", "instalments", "cost", "merchant pays", f"{LATE_DAYS} days late"],
        [
            (
                schedule.tenor,
                schedule.rows[0].due_on,
                _told(schedule.runs, shown.currency),
                amount(schedule.total_cost_minor, shown.currency),
                amount(schedule.merchant_cost_minor, shown.currency),
                amount(schedule.late_example_minor, shown.currency),
            )
            for schedule in shown.schedules
        ],
    )
    print_table(
        ["tenor", "a year", "effective", "EU", "US"],
        [
            (
                schedule.tenor,
                year_text(schedule.rates.annualised_ppm),
                year_text(schedule.rates.effective_ppm),
                year_text(schedule.rates.eu_ppm),
                "" if schedule.rates.us_ppm is None else year_text(schedule.rates.us_ppm),
            )
            for schedule in shown.schedules
        ],
    )


def _told(runs: Sequence[Run], currency: str) -> str:
    """The parts as a sum: `11.23 + 2 × 338.83 + 338.82`; where each is another, the first and the last."""
    if len(runs) > RUNS_TOLD:
        return f"{amount(runs[0].amount_minor, currency)} … {amount(runs[-1].amount_minor, currency)}"
    return " + ".join(
        (f"{run.count} × " if run.count > 1 else "") + amount(run.amount_minor, currency) for run in runs
    )


def _show_late(shown: Preview) -> None:
    late = shown.late_terms
    print_line("cost: what the person pays beyond the price, in time; late: the first part, alone.")
    print_line(
        "a year: rate of a period × periods, as it is shown to people; effective: the same, compounded;"
    )
    print_line("EU, US: over the dates themselves, by Directive 2008/48/EC and by Regulation Z.")
    print_line(
        f"Late: {percent_text(late.late_daily_ppm)} a day ({year_text(late.late_daily_ppm * 365)} a year), "
        f"{percent_text(late.revolving_daily_ppm)} when the minimum was paid."
    )
    print_line(f"No price of this product may be above {year_text(shown.annualised_max_ppm)} a year.")


@commands.command(name="list")
def list_(as_json: AsJson = False) -> None:
    """List all versions: of this installation, or without one, what ships."""
    kept, shipped = _kept(), shipped_products()
    hashes = {one.content_hash for one in shipped}
    known = kept or shipped
    if as_json:
        print_json([{**_listed(one), "shipped": one.content_hash in hashes} for one in known])
        return
    print_table(
        ["product", "begins on", "modes", "tenors", "highest", "from"],
        [_row(one.product, "Wufeng" if one.content_hash in hashes else "own") for one in known],
    )


def _listed(one: Shipped) -> dict[str, object]:
    product = one.product
    return {
        "product": product.id,
        "version": product.version,
        "effective_from": product.effective_from,
        "name": product.name,
        "modes": product.modes,
        "tenors": product.tenors,
        "currency": product.currency,
        "highest_annualised_ppm": highest_rate_ppm(product),
        "annualised_max_ppm": product.interest.annualised_max_ppm,
        "content_hash": one.content_hash,
    }


def _row(product: Product, origin: str) -> tuple[object, ...]:
    return (
        _version(product),
        product.effective_from,
        " ".join(product.modes),
        " ".join(map(str, product.tenors)),
        year_text(highest_rate_ppm(product)),
        origin,
    )


@commands.command()
def show(which: Which) -> None:
    """Print a version's file as it was published, byte for byte: a start for the next one."""
    typer.echo(_product(which).source, nl=False)


@commands.command(name="publish")
def publish_(files: Files, as_json: AsJson = False) -> None:
    """Keep versions in the installation, for good. Servers that run offer them within a minute, without a restart.

    Refuses a file that `check` refuses, one that changed under an old version number, and a new version that does
    not begin after all lower ones and tomorrow at the earliest. A file that was published before changes nothing.
    """
    ready = [_ready(str(path), source_of(path)) for path in files]
    before = {(one.product.id, one.product.version) for one in _kept()}
    currencies = run(_publish(ready))
    if as_json:
        print_json([_listed(one) for one in ready])
        return
    for one in ready:
        product = one.product
        if (product.id, product.version) in before:
            print_line(f"{_version(product)} was there already; nothing was changed.")
            continue
        print_line(
            f"Published {_version(product)}, which begins on {product.effective_from}. Servers that run offer it "
            "within a minute.",
            "green",
        )
        if product.currency not in currencies:
            print_line(f"No book here is in {product.currency}: nobody can be offered it.", "yellow")


async def _publish(products: Sequence[Shipped]) -> set[str]:
    clock = SystemClock()
    async with database() as started, started.transaction() as db:
        books = await books_of(db)
        kept, today = await load_products(db), _today(books, clock)
        for one in products:
            if (why := check_notice(one, kept, today)) is not None:
                raise ConfigurationError(f"product {one.product.id}: {why}")
        await publish(db, products, clock.now())
        for book in books.values():
            await open_book(db, book, [one.product for one in products], book.at(clock))
        return {book.currency for book in books.values()}


def _today(books: Books, clock: Clock) -> date:
    """The date that people live in: the furthest of the live books, else the machine's. Test clocks are turned."""
    live = [book.business_date(book.at(clock)) for book in books.values() if book.mode is BookMode.LIVE]
    return max(live, default=clock.now().date())


def _kept() -> list[Shipped]:
    """Every version of this installation; none where there is no installation."""
    return run(_load()) if is_installed(load_settings()) else []


async def _load() -> list[Shipped]:
    async with database() as started, started.read() as db:
        return await load_products(db)


def _product(which: str) -> Shipped:
    path = Path(which)
    if path.suffix == ".toml" or _is_file(path):
        return _ready(which, source_of(path))
    id_, _, version = which.partition("@")
    known = [one for one in _kept() or shipped_products() if one.product.id == id_]
    if version:
        known = [one for one in known if str(one.product.version) == version]
    if not known:
        raise ConfigurationError(
            f"there is no product {which}: `wufeng product list` names all, or give a file.toml"
        )
    return max(known, key=lambda one: one.product.version)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that no file has, too long for one
        return False


def _ready(file: str, source: str) -> Shipped:
    """The product of a file; a file with mistakes ends the command after they were named."""
    found = examine_product(source, file)
    if isinstance(found, Shipped):
        return found
    _show_mistakes(found)
    raise typer.Exit(FOUND_SOMETHING)


def _amount(text: str, product: Product) -> int:
    try:
        minor = parse_major(text.replace(",", ""), product.currency)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--amount") from None
    if not 0 < minor <= product.limit.maximum_minor:
        raise typer.BadParameter(
            f"lies above 0 and not above the product's highest limit, {_money(product.limit.maximum_minor, product)}",
            param_hint="--amount",
        )
    return minor


def _mode(mode: Mode | None, product: Product) -> Mode:
    if mode is not None and mode not in product.modes:
        raise typer.BadParameter(f"{product.id} has: {', '.join(product.modes)}", param_hint="--mode")
    return mode or product.modes[0]


def _at_tier(product: Product, code: str) -> Product:
    if code != STANDARD and product.tier(code) is None:
        known = ", ".join((STANDARD, *(tier.code for tier in product.tiers)))
        raise typer.BadParameter(f"{product.id} has: {known}", param_hint="--tier")
    return product.at_tier(code)


def _share(text: str) -> int:
    try:
        ppm = Decimal(text.strip().removesuffix("%")) * 10_000
    except ArithmeticError:  # no number, or one that no sum of money knows
        ppm = Decimal("NaN")
    if not ppm.is_finite() or not 0 <= ppm <= WHOLE or ppm != int(ppm):
        raise typer.BadParameter(f"{text!r} is no share such as 50%", param_hint="--merchant-share")
    return int(ppm)


def _version(product: Product) -> str:
    return f"{product.id}@{product.version}"


def _money(minor: int, product: Product) -> str:
    return amount(minor, product.currency)
