"""`python -m cnnspec`."""

from cnnspec.cli.main import entry

entry()
