import torch.nn as nn

# cnnspec: input 3 x  #~ E710
net = nn.Sequential(nn.Linear(4, 2))
