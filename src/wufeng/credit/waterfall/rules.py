"""How money is spread over a debt: one rule for every order that a product or a test case may ask for."""

from collections.abc import Iterable, Sequence
from fractions import Fraction

from wufeng.base.money import round_half_even
from wufeng.credit.waterfall.model import (
    Age,
    Allocation,
    Component,
    Due,
    Future,
    Order,
    Piece,
    Processing,
    Step,
    Waterfall,
)


def order_of(components: Sequence[Component], *ages: Age, days_past_due: int = 0) -> Order:
    """The same components for each age, the oldest age first (or the ages that are given)."""
    return Order(
        tuple(Step(age, component) for age in ages or Age for component in components), days_past_due
    )


def allocate(dues: Sequence[Due], money_minor: int, waterfall: Waterfall) -> Allocation:
    """Spread money (>= 0) over periods, oldest first.

    Horizontally an age class is paid period by period, each by its components, before the next class; vertically a step
    of the order is paid in all its periods before the next step. Nothing is paid twice, and nothing beyond what is due.
    """
    assert money_minor >= 0, "money in is not negative"
    spread = _Spread(sorted(dues, key=lambda due: due.number), money_minor, waterfall)
    if waterfall.processing is Processing.HORIZONTAL:
        for age in _ages(waterfall):
            spread.pay_periods(age)
    else:
        for step in waterfall.orders[0].steps:
            spread.pay_component(step)
    return Allocation(tuple(spread.pieces), spread.left_minor)


def _ages(waterfall: Waterfall) -> Iterable[Age]:
    """The ages in the order in which the first order names them."""
    return dict.fromkeys(step.age for step in waterfall.orders[0].steps)


class _Spread:
    """Money on its way: what is left of it, and what is still due."""

    def __init__(self, dues: Sequence[Due], money_minor: int, waterfall: Waterfall) -> None:
        self.left_minor = money_minor
        self.pieces: list[Piece] = []
        self._dues = dues
        self._waterfall = waterfall
        self._open = {due.number: dict(due.parts) for due in dues}

    def pay_periods(self, age: Age) -> None:
        """One age class, period by period."""
        if age is Age.IN_ADVANCE and self._waterfall.future is Future.EVENLY:
            self._pay_evenly([step.component for step in self._waterfall.orders[0].steps if step.age is age])
        for due in self._in_turn(age):
            for component in self._components(due):
                self._pay(due.number, component, self.left_minor)

    def pay_component(self, step: Step) -> None:
        """One component in all periods of its age."""
        if step.age is Age.IN_ADVANCE and self._waterfall.future is Future.EVENLY:
            self._pay_evenly([step.component])
        for due in self._in_turn(step.age):
            self._pay(due.number, step.component, self.left_minor)

    def _in_turn(self, age: Age) -> Sequence[Due]:
        dues = [due for due in self._dues if due.age is age]
        return dues[::-1] if age is Age.IN_ADVANCE and self._waterfall.future is Future.LAST else dues

    def _components(self, due: Due) -> Iterable[Component]:
        order = [one for one in self._waterfall.orders if one.days_past_due <= due.days_past_due][-1]
        return [step.component for step in order.steps if step.age is due.age]

    def _pay_evenly(self, components: Sequence[Component]) -> None:
        """The same to every period in advance, odd units to the last; again with what full periods did not take."""
        while self.left_minor:
            before_minor = self.left_minor
            numbers = [
                due.number
                for due in self._dues
                if due.age is Age.IN_ADVANCE and any(self._open[due.number].get(part) for part in components)
            ]
            if not numbers:
                return
            for component in components:
                portion = round_half_even(Fraction(self.left_minor, len(numbers)))
                odd = self.left_minor - portion * len(numbers)
                for number in numbers:
                    self._pay(number, component, portion + (odd if number == numbers[-1] else 0))
            if self.left_minor == before_minor:
                return

    def _pay(self, number: int, component: Component, at_most_minor: int) -> None:
        amount = min(at_most_minor, self.left_minor, self._open[number].get(component, 0))
        if amount > 0:
            self._open[number][component] -= amount
            self.left_minor -= amount
            self.pieces.append(Piece(number, component, amount))
