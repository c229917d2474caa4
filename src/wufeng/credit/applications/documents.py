"""The sheet and the contract as documents to keep: what was signed, in one language, drawn as PDF."""

from wufeng.base.rates import percent_text, year_text
from wufeng.credit.applications.model import Application, Paper
from wufeng.credit.applications.papers import (
    Contract,
    CostItem,
    PaperLender,
    Sheet,
    Way,
    read_contract,
    read_sheet,
)
from wufeng.credit.applications.texts import consent_title, text_of
from wufeng.credit.documents import (
    Align,
    Block,
    Column,
    Document,
    Facts,
    Figure,
    Figures,
    Heading,
    Note,
    Paragraph,
    Table,
)
from wufeng.credit.documents.texts import money
from wufeng.credit.products.model import Name


def sheet_document(paper: Paper, language: str) -> Document:
    """The cost sheet as it was shown. The yearly rate stands first and largest (PRODUCTS.md 3.1)."""
    sheet, words = read_sheet(paper), _Words(language)
    return Document(
        title=words.of(sheet.title),
        language="zh" if language.startswith("zh") else "en",
        reference=sheet.application,
        dated_on=sheet.made_on,
        blocks=(
            _figures(sheet, words),
            Facts(
                (
                    (words.say("product"), f"{words.of(sheet.name)} {sheet.product}@{sheet.product_version}"),
                    (words.say("principal"), words.of(sheet.basis_text)),
                    *(((words.say("mode"), words.of(sheet.mode_text)),) if sheet.mode_text else ()),
                    *(((words.say("tier"), words.of(sheet.tier_name)),) if sheet.tier_name else ()),
                )
            ),
            Heading(words.say("costs")),
            *_items(sheet.items, words),
            Heading(words.say("ways")),
            _ways(sheet, words),
            *(Note(words.of(way.carried)) for way in sheet.ways if way.carried is not None),
            *_other_rates(sheet, words),
            *_schedules(sheet, words),
            Heading(words.say("contingent")),
            *_items(sheet.contingent, words),
            Paragraph(words.of(sheet.nothing_else)),
            Heading(words.say("lenders")),
            _lenders(sheet.lenders, words),
            Note(f"SHA-256 {paper.hash}"),
        ),
    )


def contract_document(paper: Paper, found: Application, language: str) -> Document:
    """The contract as it was shown, with who signed it when."""
    contract, words = read_contract(paper), _Words(language)
    signed: tuple[Block, ...] = (Note(words.say("unsigned")),)
    if found.accepted_at is not None:
        rows = (
            (words.say("signed_at"), found.accepted_at.isoformat(timespec="seconds")),
            (words.say("signed_with"), (found.confirmed_by or "").upper()),
        )
        signed = (Facts(rows),)
    return Document(
        title=words.of(contract.title),
        language="zh" if language.startswith("zh") else "en",
        reference=contract.application,
        dated_on=contract.made_on,
        blocks=(
            Figures((Figure(words.say("limit"), words.money(contract.limit_minor, contract.currency)),)),
            Facts(_parties(contract, words)),
            Heading(words.say("lenders")),
            _lenders(contract.lenders, words),
            Heading(words.say("clauses")),
            *(Paragraph(f"{n}. {words.of(clause.text)}") for n, clause in enumerate(contract.clauses, 1)),
            Heading(words.say("consents")),
            *(Paragraph(consent_title(consent, language)) for consent in contract.consents),
            Heading(words.say("signature")),
            *signed,
            Note(f"SHA-256 {paper.hash}"),
        ),
    )


class _Words:
    """The words of one language."""

    def __init__(self, language: str) -> None:
        self.language = language

    def say(self, code: str) -> str:
        return text_of(f"paper_{code}", self.language)

    def of(self, name: Name) -> str:
        return name.zh if self.language.startswith("zh") else name.en

    def money(self, amount_minor: int, currency: str) -> str:
        return f"{currency} {money(amount_minor, currency)}"


def _figures(sheet: Sheet, words: _Words) -> Figures:
    return Figures(
        (
            Figure(words.say("year_most"), year_text(sheet.annualised_max_ppm)),
            Figure(words.say("limit"), words.money(sheet.limit_minor, sheet.currency)),
            Figure(words.say("principal"), words.money(sheet.principal_minor, sheet.currency)),
        )
    )


def _items(items: tuple[CostItem, ...], words: _Words) -> tuple[Block, ...]:
    return tuple(
        Facts(
            (
                (words.of(item.name), words.of(item.standard)),
                (words.say("method"), words.of(item.method)),
                (words.say("receiver"), ", ".join(map(words.of, item.receivers))),
            )
        )
        for item in items
    )


def _ways(sheet: Sheet, words: _Words) -> Table:
    columns = (
        Column(words.say("tenor")),
        Column(words.say("year"), 1, Align.END),
        Column(words.say("cost"), 1, Align.END),
        Column(words.say("total"), 1, Align.END),
    )
    return Table(
        columns,
        tuple(
            (
                str(way.tenor),
                year_text(way.annualised_rate_ppm),
                money(way.total_cost_minor, sheet.currency),
                money(way.total_minor, sheet.currency),
            )
            for way in sheet.ways
        ),
    )


def _other_rates(sheet: Sheet, words: _Words) -> tuple[Block, ...]:
    """The same costs by other formulas; sheets that were signed before these stood on them have none."""
    rows = tuple(
        (
            str(way.tenor),
            year_text(way.effective_rate_ppm),
            year_text(way.eu_rate_ppm),
            "–" if way.us_rate_ppm is None else year_text(way.us_rate_ppm),
        )
        for way in sheet.ways
        if way.effective_rate_ppm is not None and way.eu_rate_ppm is not None
    )
    columns = (
        Column(words.say("tenor")),
        *(Column(words.say(f"year_{kind}"), 1, Align.END) for kind in ("effective", "eu", "us")),
    )
    return (Note(words.say("year_others")), Table(columns, rows)) if rows else ()


def _schedules(sheet: Sheet, words: _Words) -> tuple[Block, ...]:
    """Each way's instalments, as they would be executed."""
    return tuple(
        block
        for way in sheet.ways
        if way.tenor > 1
        for block in (Note(f"{words.say('tenor')}: {way.tenor}"), _schedule(way, sheet.currency, words))
    )


def _schedule(way: Way, currency: str, words: _Words) -> Table:
    columns = (
        Column("#"),
        Column(words.say("due"), 2),
        Column(words.say("principal_part"), 2, Align.END),
        Column(words.say("cost"), 2, Align.END),
        Column(words.say("amount"), 2, Align.END),
    )
    rows = tuple(
        (
            str(part.number),
            part.due_on.isoformat(),
            money(part.principal_minor, currency),
            money(part.amount_minor - part.principal_minor, currency),
            money(part.amount_minor, currency),
        )
        for part in way.instalments
    )
    principal_minor = sum(part.principal_minor for part in way.instalments)
    total = (
        "",
        words.say("total"),
        money(principal_minor, currency),
        money(way.total_minor - principal_minor, currency),
        money(way.total_minor, currency),
    )
    return Table(columns, rows, total)


def _parties(contract: Contract, words: _Words) -> tuple[tuple[str, str], ...]:
    return (
        (words.say("borrower"), contract.person),
        (words.say("product"), f"{words.of(contract.name)} {contract.product}@{contract.product_version}"),
        (words.say("sheet"), contract.sheet_hash),
    )


def _lenders(lenders: tuple[PaperLender, ...], words: _Words) -> Table:
    return Table(
        (Column(words.say("lender"), 3), Column(words.say("share"), 1, Align.END)),
        tuple((words.of(one.name), percent_text(one.share_ppm)) for one in lenders),
    )
