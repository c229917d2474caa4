"""Refunds: money given back after capture."""
