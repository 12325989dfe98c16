"""What a net is trained for, one file a kind of task: how its outputs are scored, measured and told."""
