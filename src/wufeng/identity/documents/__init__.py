"""Documents: proving who a person is, by checks outside or face to face, and the tier that it gives."""
