import torch
import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 1, stride=2)  #~ W205
        self.body = nn.Conv2d(8, 8, 3, padding=1)
        self.drop = nn.Dropout(0.5)
        self.norm = nn.BatchNorm2d(8)  #~ W207

    def forward(self, x):  # cnnspec: input 3x32x32
        x = torch.relu(self.stem(x))
        x = self.norm(self.drop(self.body(x)))
        return torch.softmax(x, dim=0).mean((2, 3))  #~ W220
