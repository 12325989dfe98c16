import torch
import torch.nn as nn
import torch.nn.functional as F


class DoubleConv(nn.Module):
    def __init__(self, in_channels, out_channels):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(in_channels, out_channels, 3, padding=1),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
        )

    def forward(self, x):
        return self.body(x)


class UNet(nn.Module):
    def __init__(self, classes=2):
        super().__init__()
        self.down1 = DoubleConv(3, 32)
        self.down2 = DoubleConv(32, 64)
        self.up1 = DoubleConv(64, 32)  #~ E203
        self.head = nn.Conv2d(32, classes, 1)

    def forward(self, x):  # cnnspec: input 3x64x64
        first = self.down1(x)
        x = self.down2(F.max_pool2d(first, 2))
        x = F.interpolate(x, scale_factor=2)
        x = self.up1(torch.cat([x, first], dim=1))
        return self.head(x)
