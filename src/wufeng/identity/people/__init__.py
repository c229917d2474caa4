"""People: who pays and is paid, with everything that is known about them sealed."""
