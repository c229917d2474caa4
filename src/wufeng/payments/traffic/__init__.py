"""What goes on in a book: payments of late, and money reserved."""
