"""Passkeys: public keys that people sign in and confirm with (W3C Web Authentication level 3)."""
