"""What is folded over a graph: what a network costs, how much memory a step of training takes, what its outputs see."""
