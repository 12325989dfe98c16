import torch.nn as nn

net = nn.Sequential(
    nn.Conv2d(3, 16, kernel=3),  #~ E111
    nn.Conv2d(16, 32),  #~ E112
    nn.Conv2d(32, 33, 3, groups=2),  #~ E205
    nn.MaxPool2d(0),  #~ E116
)
# cnnspec: input 3x32x32
