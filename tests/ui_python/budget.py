import torch
import torch.nn as nn

# cnnspec: input 3x32x32
# cnnspec: assert parameters <= 1e6


class Small(nn.Module):
    # cnnspec: assert parameters <= 200 #~ E154
    # cnnspec: assert macs <= 1e5, "for the watch" #~ E154
    # cnnspec: assert memory(batch=8) <= 50e6 and receptive_field >= 3
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.fc = nn.Linear(8, 10)

    def forward(self, x):
        return self.fc(self.conv(x).relu().mean((2, 3)))


class Rolled(nn.Module):
    # cnnspec: assert macs <= 1e9 #~ E154
    # cnnspec: assert params <= 200 #~ E117
    # cnnspec: assert parameters <= 0
    def forward(self, x):
        return torch.roll(x, 1, 2)
