import torch.nn as nn
from jaxtyping import Float
from torch import Tensor


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)

    def head(self, x: Float[Tensor, "batch 8 side side"]) -> Float[Tensor, "batch 16"]:  #~ E712
        assert x.shape[1] == 16  #~ E712
        return x.mean((2, 3))

    def forward(self, x: Float[Tensor, "batch 3 *sizes"]):  # cnnspec: input 3x32x32
        return self.head(self.conv(x))
