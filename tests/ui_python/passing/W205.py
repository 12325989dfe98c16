import torch.nn as nn


class Block(nn.Module):
    """In a shortcut, a 1x1 convolution with a stride is customary."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.ReLU(), nn.Conv2d(8, 8, 3, padding=1))
        self.shortcut = nn.Sequential(nn.Conv2d(3, 8, 1, stride=2), nn.BatchNorm2d(8))

    def forward(self, x):  # cnnspec: input 3x32x32
        return self.body(x) + self.shortcut(x)
