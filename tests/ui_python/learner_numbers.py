import torch
import torch.nn as nn


class Positions(nn.Module):
    def __init__(self, dim=192):
        super().__init__()
        self.patch = nn.Conv2d(3, dim, 16, 16)
        self.cls = nn.Parameter(torch.zeros(1, 1, dim))
        self.pos = nn.Parameter(torch.zeros(1, 196, dim))

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls.expand(x.shape[0], -1, -1), x], dim=1)
        return x + self.pos  #~ E702


class Up(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.up = nn.ConvTranspose2d(channels, channels // 2, 2, stride=2)
        self.conv = nn.Conv2d(channels // 2, channels // 2, 3, padding=1)  #~ E203

    def forward(self, x, skip):
        return self.conv(torch.cat([self.up(x), skip], 1))


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Conv2d(1, 32, 3, padding=1)
        self.bottom = nn.Conv2d(32, 64, 3, padding=1)
        self.up = Up(64)

    def forward(self, x):
        skip = self.down(x)
        return self.up(self.bottom(nn.functional.max_pool2d(skip, 2)), skip)


class Audio(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv1d(1, 16, 9, stride=4)
        self.norm1 = nn.BatchNorm2d(16)  #~ E201
        self.conv2 = nn.Conv1d(16, 32, 9, stride=4)

    def forward(self, x):
        return self.conv2(self.norm1(self.conv1(x)))


class Idle(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(1, 16, 9)
        self.conv2 = nn.Conv1d(16, 32, 9)

    def forward(self, x):
        return self.conv1(self.conv(x))  #~ E707


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.ConvTranspose2d(100, 64, 4), nn.ReLU(), nn.ConvTranspose2d(64, 3, 4, 2, 1))  #~ E201

    def forward(self, z):
        return self.net(z)


if __name__ == "__main__":
    Positions()(torch.zeros(2, 3, 224, 224))
    UNet()(torch.zeros(1, 1, 64, 64))
    audio = Audio()
    x = torch.randn(4, 1, 16000)
    audio(x)
    Idle()(torch.randn(4, 1, 16000))
    Generator()(torch.randn(16, 100))
