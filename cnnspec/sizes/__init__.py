"""Numbers that depend on the sizes of an input, and exact answers to questions about them for every size at once."""
