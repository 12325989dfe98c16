import torch
import torch.nn as nn
import torch.nn.functional as F


class Net(nn.Module):
    def __init__(self, hidden=128):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 5)
        self.conv2 = nn.Conv2d(32, 32, 5)  #~ E203
        self.fc1 = nn.Linear(32 * 5 * 5, hidden)
        self.fc2 = nn.Linear(100, 10)  #~ E203

    def forward(self, x):  # cnnspec: input 3x32x32
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = torch.flatten(x, 1)
        x = F.relu(self.fc1(x))
        return self.fc2(x)
