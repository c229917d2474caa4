"""How much lines may be used when all lines of their people are looked at."""

from collections.abc import Collection, Mapping
from datetime import date
from uuid import UUID

from msgspec.structs import replace

from wufeng.base.database import Connection
from wufeng.credit.lines import store
from wufeng.credit.lines.model import Line, LineState
from wufeng.credit.lines.rules import ceiling_minor
from wufeng.credit.products.commands import Products

NO_LINES: Mapping[UUID, Line] = {}


async def load_ceilings(
    db: Connection,
    bucket: int,
    products: Products,
    people: Collection[UUID],
    on: date,
    taken_as: Mapping[UUID, Line] = NO_LINES,
) -> dict[UUID, int]:
    """By line of those people: the most that its used and held may come to on a date (`rules.ceiling_minor`).

    taken_as  lines that are told of as they were or will be, whatever their rows say
    """
    states = {
        id_: replace(state, line=taken_as.get(id_, state.line))
        for id_, state in (await store.load_states_of_people(db, bucket, people)).items()
    }
    terms = {
        id_: products.drawn_under(state.line.product, state.line.product_version, state.line.tier, on)
        for id_, state in states.items()
    }
    by_person: dict[UUID, dict[UUID, LineState]] = {}
    for id_, state in states.items():
        by_person.setdefault(state.line.person_id, {})[id_] = state
    return {id_: ceiling_minor(id_, own, terms, on) for own in by_person.values() for id_ in own}
