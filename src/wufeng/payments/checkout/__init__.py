"""Checkout sessions: the hosted page of one order, and what it binds."""
