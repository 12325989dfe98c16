import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 16, 5)
        self.fc = nn.Linear(16 * 24 * 24, 10)

    def forward(self, x):  # cnnspec: input 1x28x28
        return self.fc(self.conv(x).view(-1, 16 * 24 * 24))
