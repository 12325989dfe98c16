"""Fixes for errors: edits that were tried, the likeliest first."""
