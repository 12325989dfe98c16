"""From the tree of a file to the typed graphs of its models."""
