"""Modules in PyTorch for the tests of import: their source, what makes one, its inputs, and the lines of its spec."""

from __future__ import annotations

HEAD = "import torch\nimport torch.nn as nn\nimport torch.nn.functional as F\n\n\n"

RESNET = '''
class BasicBlock(nn.Module):
    """Two convolutions and a shortcut."""
    expansion = 1

    def __init__(self, in_planes, planes, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(in_planes, planes, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.shortcut = nn.Sequential()
        if stride != 1 or in_planes != planes:
            self.shortcut = nn.Sequential(nn.Conv2d(in_planes, planes, 1, stride=stride, bias=False), nn.BatchNorm2d(planes))

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += self.shortcut(x)
        return F.relu(out)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.width = 4
        self.conv1 = nn.Conv2d(3, 4, 3, padding=1)
        self.layer1 = self._make_layer(4, 2, 1)
        self.layer2 = self._make_layer(8, 2, 2)
        self.layer3 = self._make_layer(16, 2, 2)
        self.layer4 = self._make_layer(32, 2, 2)
        self.linear = nn.Linear(32, 5)

    def _make_layer(self, planes, count, stride):
        layers = []
        for step in [stride] + [1] * (count - 1):
            layers.append(BasicBlock(self.width, planes, step))
            self.width = planes
        return nn.Sequential(*layers)

    def forward(self, x):
        x = F.relu(self.conv1(x))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.linear(F.adaptive_avg_pool2d(x, 1).flatten(1))
'''

RESNET_SPEC = """# Imported from model.py, Net.
# Two convolutions and a shortcut.
block BasicBlock(planes, stride = 1) {
    residual {
        Conv2d(planes, 3, stride=stride, padding=1, bias=false) as conv1
        BatchNorm2d as bn1
        ReLU
        Conv2d(planes, 3, padding=1, bias=false) as conv2
        BatchNorm2d as bn2
    } shortcut {
        if stride != 1 {
            Conv2d(planes, 1, stride=stride, bias=false)
            BatchNorm2d
        }
    }
    ReLU
}

model Net {
    input [3, 16, 16]

    Conv2d(4, 3, padding=1) as conv1
    ReLU
    repeat 2 { BasicBlock(4) }
    for planes in [8, 16, 32] {
        BasicBlock(planes, stride=2)
        BasicBlock(planes)
    }
    AdaptiveAvgPool2d(1)
    Flatten
    Linear(5) as linear
}
"""

UNET = """
class Two(nn.Sequential):
    def __init__(self, cin, cout):
        super().__init__(nn.Conv2d(cin, cout, 3, padding=1), nn.BatchNorm2d(cout), nn.ReLU(inplace=True))


class Up(nn.Module):
    def __init__(self, cin, cout):
        super().__init__()
        self.up = nn.ConvTranspose2d(cin, cin // 2, 2, stride=2)
        self.two = Two(cin, cout)

    def forward(self, x, skip):
        return self.two(torch.cat([skip, self.up(x)], dim=1))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = Two(1, 4)
        self.second = Two(4, 8)
        self.third = Two(8, 16)
        self.up1, self.up2 = Up(16, 8), Up(8, 4)
        self.head = nn.Conv2d(4, 2, 1)

    def forward(self, x):
        a = self.first(x)
        b = self.second(F.max_pool2d(a, 2))
        c = self.third(F.max_pool2d(b, 2))
        return self.head(self.up2(self.up1(c, b), a))
"""

UNET_SPEC = """# Imported from model.py, Net.
block Two(cout) {
    Conv2d(cout, 3, padding=1)
    BatchNorm2d
    ReLU
}

block Up(skip, cout) {
    concat {
        branch { use skip }
        branch { ConvTranspose2d(cout, 2, stride=2) as up }
    }
    Two(cout) as two
}

model Net {
    input [1, 16, 16]

    Two(4) as first
    MaxPool2d(2)
    Two(8) as second
    MaxPool2d(2)
    Two(16) as third
    Up(second, 8) as up1
    Up(first, 4) as up2
    Conv2d(2, 1) as head
}
"""

SIAMESE = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.tower = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 8))
        self.out = nn.Linear(8, 1)

    def forward(self, left, right):
        return torch.sigmoid(self.out(torch.abs(self.tower(left) - self.tower(right))))
"""

SIAMESE_SPEC = """# Imported from model.py, Net.
block Tower {
    Conv2d(4, 3)
    ReLU
    Flatten
    Linear(8)
}

model Net {
    input [1, 8, 8] as left
    input [1, 8, 8] as right

    use left
    Tower as tower
    use right
    again tower
    multiply(-1)
    add(tower)
    Abs
    Linear(1) as out
    Sigmoid
}
"""

OPTIONAL = """
class Unit(nn.Module):
    def __init__(self, cin, cout, norm=True, factor=2):
        super().__init__()
        self.norm = norm
        self.expand = nn.Conv2d(cin, cin * factor, 1)
        if norm:
            self.bn = nn.BatchNorm2d(cin * factor, eps=1e-3)
        self.deep = nn.Conv2d(cin * factor, cin * factor, 3, padding=1, groups=cin * factor)
        self.squeeze = nn.Conv2d(cin * factor, cin * factor, 1)
        self.out = nn.Conv2d(cin * factor, cout, 1)

    def forward(self, x):
        x = self.expand(x)
        if self.norm:
            x = self.bn(x)
        x = self.deep(x)
        x = x * torch.sigmoid(self.squeeze(x.mean([2, 3], keepdim=True)))
        return self.out(x)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.units = nn.ModuleList([Unit(3, 6, norm=False), Unit(6, 5), Unit(5, 7, factor=3)])

    def forward(self, x):
        for unit in self.units:
            x = F.leaky_relu(unit(x), 0.1)
        a, b = x[:, :3], x[:, 3:]
        return {"a": a.flatten(1), "b": b[:, 0]}
"""

OPTIONAL_SPEC = """# Imported from model.py, Net.
block Unit(cout, norm = true, factor = 2) {
    Conv2d(factor * in_channels, 1) as expand
    if norm {
        BatchNorm2d(eps=0.001) as bn
    }
    Conv2d(in_channels, 3, padding=1, groups=in_channels) as deep
    multiply {
        branch { }
        branch {
            Mean((2, 3), keepdim=true)
            Conv2d(in_channels, 1) as squeeze
            Sigmoid
        }
    }
    Conv2d(cout, 1) as out
}

model Net {
    input [3, 8, 8]

    Unit(6, norm=false)
    LeakyReLU(0.1)
    Unit(5)
    LeakyReLU(0.1)
    Unit(7, factor=3)
    LeakyReLU(0.1) as leakyrelu
    Slice(0, 3) as slice
    use leakyrelu
    Slice(3) as slice2
    use slice
    Flatten as flatten
    use slice2
    Select(0) as select
    use (flatten, select)
}
"""

SEQUENCE = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.token = nn.Parameter(torch.zeros(1, 1, 8))
        self.position = nn.Parameter(torch.randn(1, 17, 8))
        self.patch = nn.Conv2d(3, 8, 4, stride=4)
        self.norm = nn.LayerNorm(8)
        self.mix = nn.MultiheadAttention(8, 2, batch_first=True)
        self.lstm = nn.LSTM(8, 6, batch_first=True, bidirectional=True)
        self.head = nn.Linear(12, 3)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.size(0), -1, -1), x], dim=1) + self.position
        y = self.norm(x)
        x = x + self.mix(y, y, y)[0]
        out, (h, c) = self.lstm(x)
        return self.head(out[:, -1])
"""

SEQUENCE_SPEC = """# Imported from model.py, Net.
model Net {
    input [3, 16, 16]

    weight [1, 8] = 0 as token
    weight [17, 8] = 0 as position
    concat {
        branch { use token }
        branch {
            Conv2d(8, 4, stride=4) as patch
            Flatten(2)
            Permute((0, 2, 1))
        }
    }
    add(position)
    residual {
        LayerNorm(8) as norm
        SelfAttention(2) as mix
    }
    LSTM(6, bidirectional=true) as lstm
    Select(-1)
    Linear(3) as head
}
"""

SHUFFLE = """
def conv_bn(cin, cout, **more):
    return nn.Sequential(nn.Conv2d(cin, cout, 1, bias=False, **more), nn.BatchNorm2d(cout))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(*[conv_bn(8, 8, groups=2) for _ in range(3)])

    def forward(self, x):
        n, c, h, w = x.size()
        a, b = x.chunk(2, 1)
        x = torch.cat((a, self.body(torch.cat([b, b], 1))), 1)
        n, c, h, w = x.size()
        x = x.view(n, 3, c // 3, h, w).transpose(1, 2).contiguous().view(n, -1, h, w)
        return F.pad(F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False), (1, 0, 2, 1))
"""

# A head that evaluation throws away, and one module that runs on two values.
THROWN = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.spare = nn.Linear(4, 2)
        self.fc = nn.Linear(4, 4)

    def forward(self, x):
        x = self.stem(x)
        most, mean = x.amax((2, 3)), x.mean((2, 3))
        first = self.fc(most)
        thrown = self.spare(mean).softmax(1)
        second = self.fc(mean)
        y = torch.sigmoid(first + second)
        return F.relu(y + self.fc(torch.tanh(y)))
"""

# Weights of a module's own in functions, and a value that comes again.
OWN = """
class Channels(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.gamma = nn.Parameter(torch.ones(channels, 1, 1))

    def forward(self, x):
        y = F.layer_norm(x.permute(0, 2, 3, 1), self.weight.shape, self.weight, self.bias).permute(0, 3, 1, 2)
        return x + self.gamma * y


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.kernel = nn.Parameter(torch.ones(4, 3, 3, 3))
        self.units = nn.Sequential(Channels(4), Channels(4))
        self.matrix = nn.Parameter(torch.ones(2, 4))

    def forward(self, x):
        x = self.units(F.conv2d(x, self.kernel, padding=1))
        return F.linear(F.group_norm(x, 2).mean((2, 3)), self.matrix)
"""

# A shortcut that leaves out places and fills up channels, and a vector that becomes an image.
STRIDED = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.line = nn.Conv1d(1, 2, 3)

    def forward(self, x):
        y = self.conv(x) + F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 2, 3))
        return self.line(y.mean((2, 3))[:, None, :])
"""

# Weights that are learnt in another form, under the keys of today and of before.
WRAPPED = """
from torch.nn.utils import spectral_norm, weight_norm
from torch.nn.utils.parametrizations import spectral_norm as new_spectral, weight_norm as new_norm


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = weight_norm(nn.Conv1d(3, 8, 3, padding=1), dim=None)
        self.body = nn.Sequential(spectral_norm(nn.Conv1d(8, 16, 3)), nn.ReLU(), new_norm(nn.Conv1d(16, 4, 1, bias=False)))
        self.fc = new_spectral(weight_norm(nn.Linear(4 * 14, 5)) if False else nn.Linear(4 * 14, 5), n_power_iterations=2)

    def forward(self, x):
        return self.fc(self.body(self.a(x)).flatten(1))
"""

CASES = {
    "resnet": (RESNET, ((3, 16, 16),), RESNET_SPEC),
    "unet": (UNET, ((1, 16, 16),), UNET_SPEC),
    "siamese": (SIAMESE, ((1, 8, 8), (1, 8, 8)), SIAMESE_SPEC),
    "optional": (OPTIONAL, ((3, 8, 8),), OPTIONAL_SPEC),
    "sequence": (SEQUENCE, ((3, 16, 16),), SEQUENCE_SPEC),
    "shuffle": (SHUFFLE, ((8, 8, 8),), None),
    "thrown": (THROWN, ((3, 8, 8),), None),
    "strided": (STRIDED, ((3, 9, 8),), None),
    "wrapped": (WRAPPED, ((3, 16),), None),
    "own": (OWN, ((3, 8, 8),), None),
}
