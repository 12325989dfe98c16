"""PyTorch source read by its syntax tree: what its modules make of an input, and what torch would refuse.

A file of Python goes in, findings with spans in that file and graphs come out. Nothing of the file is imported or run, torch
is not needed, and only files below the root of the project are read.
"""
