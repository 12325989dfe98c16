"""From text to an answer: check LeNet, list its layers, compile it to torch and run it on a real image.

The image is an ankle boot of Fashion-MNIST (Xiao et al. 2017, MIT licence). The network is not trained yet: what it
answers is chance, and the point is that it fits together.
"""

from pathlib import Path

import torch

import cnnspec

HERE = Path(__file__).parent

spec = cnnspec.load(HERE.parent / "specs" / "lenet.cnn")
print(spec.summary(), end="\n\n")

net = spec.compile(device="cpu")
print(net, end="\n\n")

pixels = (HERE / "ankle_boot.pgm").read_bytes().split(b"255\n", 1)[1]
image = torch.frombuffer(bytearray(pixels), dtype=torch.uint8).reshape(1, 1, 28, 28) / 255
shades = " .:-=+*#%@"
for row in image[0, 0, ::2]:
    print("".join(shades[int(value * 9)] for value in row))

with torch.no_grad():
    probabilities = net(image).softmax(dim=1)[0]
print("\nprobability of each class:", " ".join(f"{p:.3f}" for p in probabilities))
