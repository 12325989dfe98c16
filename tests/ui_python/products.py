# cnnspec: input 3x32x32
import torch.nn as nn


class Unit(nn.Sequential):
    def __init__(self, cin, cout):
        super().__init__(nn.Conv2d(cin, cout, 3, padding=1), nn.ReLU())


class Net(nn.Module):
    def __init__(self, alpha=0.5):
        super().__init__()
        self.first = Unit(3, int(64 * alpha))
        self.second = Unit(int(128 * alpha), 16)  #~ E203
        self.fc1 = nn.Linear(16 * 5 * 5, 120)  #~ E203
        self.fc2 = nn.Linear(120, 10)

    def forward(self, x):
        x = nn.functional.max_pool2d(self.second(self.first(x)), 2)
        x = x.view(x.size(0), -1)
        return self.fc2(self.fc1(nn.functional.dropout(x, 0.5, self.training)))
