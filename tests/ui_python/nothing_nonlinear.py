import torch.nn as nn

# cnnspec: input 3x32x32
net = nn.Sequential(
    nn.Conv2d(3, 8, 3),
    nn.Conv2d(8, 8, 3),  #~ W202
    nn.ReLU(),
    nn.Conv2d(8, 16, 1),
    nn.Conv2d(16, 16, 3, groups=16),
)
