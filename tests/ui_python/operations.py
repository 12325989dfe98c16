import torch
import torch.nn as nn


class Views(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 10, 3, padding=1)

    def forward(self, x):  # cnnspec: input 3x32x32
        y = self.conv(x)
        a = x + y  #~ E702
        b = torch.cat([x, nn.functional.max_pool2d(y, 2)], dim=1)  #~ E703
        c = y.view(-1, 1000)  #~ E704
        d = torch.matmul(y, x.permute(0, 1, 3, 2)[:, :, :5])  #~ E706
        e = y.split([4, 4], dim=1)  #~ E701
        g = y.mean(dim=4)  #~ E705
        return g, a, b, c, d, e
