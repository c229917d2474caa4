"""Merchants' settlements: drawn up from the journals of closed days, paid out by the bank."""

from wufeng.payments.settlements.close import close_steps, settle_book
from wufeng.payments.settlements.commands import answer_command, handlers
from wufeng.payments.settlements.events import EVENT_TYPES, expand
from wufeng.payments.settlements.model import DrawUpSettlements, Settlement, SettlementView
from wufeng.payments.settlements.queries import get_settlement, list_settlements
from wufeng.payments.settlements.rules import csv_of, view_of

__all__ = [
    "EVENT_TYPES",
    "DrawUpSettlements",
    "Settlement",
    "SettlementView",
    "answer_command",
    "close_steps",
    "csv_of",
    "expand",
    "get_settlement",
    "handlers",
    "list_settlements",
    "settle_book",
    "view_of",
]
