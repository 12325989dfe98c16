import torch.nn as nn

# cnnspec: input 3x32x32
net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8, 0.8))  #~ W302
