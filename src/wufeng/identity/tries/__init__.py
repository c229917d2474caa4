"""Tries counted by where they come from: guessing is slowed down whoever's proof is guessed."""
