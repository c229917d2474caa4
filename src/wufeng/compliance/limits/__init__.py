"""Limits of payment accounts by tier, and of payments by balance and by code a day."""
