"""The command line: a module for each group of commands."""

from kinetic._cli.commands import app as app
from kinetic._cli.commands import main as main
