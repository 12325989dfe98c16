"""The page of a network: its source, picture, arithmetic and costs in one file that needs nothing else."""
