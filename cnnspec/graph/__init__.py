"""The typed graph of one model: what stands behind every front end."""
