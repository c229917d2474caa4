"""One-time codes: six digits sent to a phone, which prove that somebody holds it."""
