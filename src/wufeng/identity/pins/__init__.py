"""Payment PINs: six digits that confirm a payment, with five tries."""
