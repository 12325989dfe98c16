import torch.nn as nn
class B:
    expansion = 4
class Net(nn.Module):
    def __init__(self, block=B):
        super().__init__()
        self.conv = nn.Conv2d(3, 64 * block.expansion, 3)
        self.fc = nn.Linear(128 * block.expansion, 10)  #~ E203
    def forward(self, x):  # cnnspec: input 3x9x9
        return self.fc(self.conv(x).mean((2, 3)))
