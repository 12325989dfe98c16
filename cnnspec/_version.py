"""The version, as plain text: reading package metadata would cost more than a check."""

__version__ = "0.2.0"
