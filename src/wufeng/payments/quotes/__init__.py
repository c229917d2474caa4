"""Offers and quotes: what ways to pay cost."""
