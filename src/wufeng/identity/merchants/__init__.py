"""Merchants: who sells, under which fee plan."""
