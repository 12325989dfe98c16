"""cnnspec: convolutional networks as declarative text, checked without torch and compiled to it."""
