"""The playground: a page with an editor, the checker behind it, and lessons. Nothing here writes a file."""
