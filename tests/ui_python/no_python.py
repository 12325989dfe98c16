import torch.nn as nn

net = nn.Sequential(nn.Linear(4, 2)))  #~ E708
