"""Networks as pictures: one view of a graph (`view`, `fold`), drawn as volumes (`blocks`), as boxes (`stack`), or as text."""
