"""`python -m coldfleet`."""

from coldfleet.cli import main

main()
