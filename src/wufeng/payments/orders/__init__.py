"""Orders: what is to be paid."""
