"""ONNX files as specs: their nodes as PyTorch source, followed as any other."""
