"""`python -m kinetic` is the command line."""

from kinetic._cli import main

main()
