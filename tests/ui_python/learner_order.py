import torch
import torch.nn as nn


class Speech(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(40, 64, 3, padding=1)  #~ E203
        self.gru = nn.GRU(64, 128, batch_first=True)  #~ E203

    def forward(self, x):
        x = torch.relu(self.conv(x))
        return self.gru(x)[0][:, -1]


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.query, self.key = nn.Linear(64, 64), nn.Linear(64, 64)

    def forward(self, x):
        q, k = self.query(x), self.key(x)
        return torch.softmax(q @ k / 8, -1) @ x  #~ E706


class Gated(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(32, 32)

    def forward(self, x):
        gate = torch.sigmoid(self.fc(x.mean((2, 3))))
        return x * gate  #~ E702


Speech()(torch.randn(2, 100, 40))
Attention()(torch.randn(2, 10, 64))
Gated()(torch.randn(2, 32, 16, 16))
