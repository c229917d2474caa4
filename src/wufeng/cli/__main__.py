"""`python -m wufeng.cli` is `wufeng`."""

from wufeng.cli import main

main()
