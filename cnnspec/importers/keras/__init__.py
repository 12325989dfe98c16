"""Keras configurations as specs: their layers as PyTorch source, followed as any other."""
