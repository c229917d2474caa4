"""The proofs, a file each, named by their id."""
