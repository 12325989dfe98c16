"""The trace of a forward pass as the checker's graph: runs become bodies, operations the layers that they are."""
