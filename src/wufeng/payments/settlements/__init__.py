"""Merchants' settlements: drawn up from the journals of closed days, paid out by the bank."""

from wufeng.payments.settlements.close import settle_book
from wufeng.payments.settlements.commands import answer_command, handlers
from wufeng.payments.settlements.model import DrawUpSettlements, Settlement, SettlementView
from wufeng.payments.settlements.queries import get_settlement, list_settlements
from wufeng.payments.settlements.rules import csv_of, view_of

__all__ = [
    "DrawUpSettlements",
    "Settlement",
    "SettlementView",
    "answer_command",
    "csv_of",
    "get_settlement",
    "handlers",
    "list_settlements",
    "settle_book",
    "view_of",
]
