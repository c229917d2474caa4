"""What may become of an order."""

from datetime import datetime

from wufeng.base.errors import Code, Problem
from wufeng.payments.orders.model import Order, OrderState, OrderTerms, Receipt

MOVES: dict[OrderState, frozenset[OrderState]] = {
    OrderState.OPEN: frozenset({OrderState.PAID, OrderState.CLOSED, OrderState.EXPIRED}),
    OrderState.PAID: frozenset({OrderState.SHIPPED, OrderState.RECEIPT_CONFIRMED}),
    OrderState.SHIPPED: frozenset({OrderState.RECEIPT_CONFIRMED}),
    OrderState.RECEIPT_CONFIRMED: frozenset(),
    OrderState.CLOSED: frozenset(),
    OrderState.EXPIRED: frozenset(),
}


def problem_if_other_terms(stored: OrderTerms, asked: OrderTerms) -> Problem | None:
    """One number names one order: another amount or currency under it is a mistake of the merchant's."""
    if stored.amount_minor != asked.amount_minor:
        detail = (
            f"Order {asked.order_no} is over {stored.amount_minor}, not {asked.amount_minor} minor units."
        )
        return Problem(Code.ORDER_NO_REUSED, detail)
    if stored.currency != asked.currency:
        return Problem(
            Code.ORDER_NO_REUSED, f"Order {asked.order_no} is in {stored.currency}, not {asked.currency}."
        )
    return None


def problem_if_not_payable(order: Order) -> Problem | None:
    """Whether a new payment may be started for an order. Its expiry is a decline, not a problem."""
    if order.payment_id is not None:
        return Problem(Code.ORDER_TAKEN, f"Order {order.terms.order_no} is being paid or has been paid.")
    if order.state not in (OrderState.OPEN, OrderState.EXPIRED):
        return Problem(Code.STATE_CONFLICT, f"Order {order.terms.order_no} is {order.state.value}.")
    return None


def waits_to_be_paid(order: Order, at: datetime) -> bool:
    """Whether a payment of an order that is started now can go through: nobody pays it, its time has not passed."""
    expires_at = order.terms.expires_at
    return problem_if_not_payable(order) is None and (expires_at is None or at < expires_at)


def problem_if_no_move(order: Order, to: OrderState) -> Problem | None:
    """The problem of a move that an order's state does not allow."""
    if to in MOVES[order.state] and not (to is OrderState.CLOSED and order.payment_id is not None):
        return None
    return Problem(Code.STATE_CONFLICT, f"An order that is {_plainly(order)} cannot become {to.value}.")


def problem_if_no_receipt(order: Order) -> Problem | None:
    """The problem of confirming a receipt that nobody waits for."""
    if order.terms.receipt is Receipt.NONE:
        return Problem(Code.STATE_CONFLICT, f"Order {order.terms.order_no} asks for no receipt.")
    return problem_if_no_move(order, OrderState.RECEIPT_CONFIRMED)


def _plainly(order: Order) -> str:
    return (
        "being paid" if order.state is OrderState.OPEN and order.payment_id is not None else order.state.value
    )
