"""Devices: what a person signs in on, known again by a secret of its own."""
