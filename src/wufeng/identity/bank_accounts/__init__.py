"""Bank accounts of people: where their money comes from and goes to."""
