"""Payments: one attempt to pay an order."""
