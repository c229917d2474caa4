"""Reminders: which bills of which products a date reminds of."""

from datetime import date

from msgspec import Struct


class Reminding(Struct, frozen=True):
    """Bills of one product version with one due date: up to that date all that are unpaid, after it overdue ones."""

    product: str
    version: int
    due_on: date
