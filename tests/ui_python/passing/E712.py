import torch.nn as nn
from jaxtyping import Float
from torch import Tensor


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)

    def forward(self, x: Float[Tensor, "batch 3 side side"]) -> Float[Tensor, "batch 8 inner inner"]:  # cnnspec: input 3x32x32
        x = self.conv(x)
        assert x.shape == (x.shape[0], 8, 30, 30)
        assert x.ndim == 4
        return x
