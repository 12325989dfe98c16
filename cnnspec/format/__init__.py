"""The canonical text of a spec: text in, text out."""
