"""`python -m cnnspec`."""

from cnnspec.cli import entry

entry()
