import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = [nn.Linear(4, 4) for _ in range(3)]  #~ W303

    def forward(self, x):  # cnnspec: input 4
        for layer in self.layers:
            x = layer(x).relu()
        return x
