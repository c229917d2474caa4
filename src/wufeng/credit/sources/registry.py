"""The kinds of repayment sources of a process: reading ids, loading, and judging whether money may leave."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from wufeng.base.errors import Code, Problem, invalid_field
from wufeng.base.ids import decode
from wufeng.base.lanes import Batch
from wufeng.credit.repayments.model import Source
from wufeng.credit.sources.model import Held, Pays, SourceType
from wufeng.identity.people.model import PersonGuard, PersonStatus


class Sources:
    """All kinds that a person may repay from. Relayed money (`external`) is of none: it has come already."""

    def __init__(self, types: Sequence[SourceType]) -> None:
        self._by_kind = {one.kind: one for one in types}
        self._by_prefix = {one.prefix.value: one for one in types}
        assert len(self._by_kind) == len(self._by_prefix) == len(types), "each kind and prefix stands once"

    def parse(self, text: str) -> Source:
        """A source by its id at the border, such as wal_… or bka_…. Raises ValueError for anything else."""
        found = self._by_prefix.get(text.partition("_")[0])
        if found is None:
            raise ValueError("no id of a source of repayments")
        return Source(found.kind, decode(found.prefix, text))

    def pays(self, source: Source) -> Pays:
        """When its money is there. Relayed money is."""
        found = self._by_kind.get(source.kind)
        return Pays.AT_ONCE if found is None else found.pays

    async def load(self, batch: Batch, sources: Iterable[Source]) -> dict[UUID, Held]:
        """Some sources as they stand, by id: one load a kind. Unknown ones are absent."""
        ids: dict[SourceType, set[UUID]] = {}
        for source in sources:
            found = self._by_kind.get(source.kind)
            if found is not None and source.id is not None:
                ids.setdefault(found, set()).add(source.id)
        held: dict[UUID, Held] = {}
        for one, wanted in ids.items():
            held |= await one.load(batch, wanted)
        return held

    def problem(self, source: Source, guard: PersonGuard, held: Mapping[UUID, Held]) -> Problem | None:
        """Why money may not come from there: a frozen person's stays where it is, and another's is another's."""
        found = self._by_kind.get(source.kind)
        if found is None:
            return None
        if guard.status is not PersonStatus.ACTIVE:
            return Problem(Code.FORBIDDEN, f"This person is {guard.status.value}.")
        one = held.get(source.id) if source.id is not None else None
        if one is None or one.person_id != guard.id:
            return invalid_field("/source", found.not_theirs)
        return one.problem

    def problem_of_amount(
        self, source: Source, amount_minor: int, available: Mapping[UUID, int]
    ) -> Problem | None:
        """Why an amount may not come from there: it is more than what is known to be there (`available`, by id)."""
        found = self._by_kind.get(source.kind)
        if found is None or source.id is None or amount_minor <= available.get(source.id, amount_minor):
            return None
        detail = f"The {found.noun} has {available[source.id]} minor units; {amount_minor} are needed."
        return Problem(Code.STATE_CONFLICT, detail)


def known(held: Mapping[UUID, Held]) -> dict[UUID, int]:
    """What is known to be in sources, by id."""
    return {id_: one.available_minor for id_, one in held.items() if one.available_minor is not None}
