"""Programs in PyTorch with the constructs that people use, each with its inputs and what makes its module."""

from __future__ import annotations

HEAD = "import math\n\nimport numpy\nimport torch\nimport torch.nn.functional as F\nfrom torch import Tensor, nn\n\n\n"

_MORE = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        rates = [x.item() for x in torch.linspace(0, 0.3, 4)]
        self.drops = nn.ModuleList([nn.Dropout(p) if p > 0.0 else nn.Identity() for p in rates])
        self.fc = nn.Linear(9, len(torch.linspace(0, 1, 5).tolist()))

    def forward(self, x):
        eye = torch.from_numpy(numpy.array([1, 0, 0, 0, 1, 0, 0, 0, 1]).astype(numpy.float32)).view(1, 9)
        for drop in self.drops:
            x = drop(x)
        return self.fc(x + eye.repeat(x.size(0), 1))
"""

CASES: dict[str, tuple[str, tuple[tuple[int, ...], ...], str]] = {
    "einsum_attention": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.q = nn.Linear(8, 8)

    def forward(self, x):
        q = self.q(x)
        a = torch.einsum("bid,bjd->bij", q, x)
        return torch.einsum("bij,bjd->bid", a.softmax(-1), x)
""",
        ((5, 8),),
        "Net",
    ),
    "einsum_bad": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()

    def forward(self, x):
        return torch.einsum("bid,bjd->bij", x, x[:, :, :4])
""",
        ((5, 8),),
        "Net",
    ),
    "einsum_ellipsis": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()

    def forward(self, x):
        return torch.einsum("...ij,...jk->...ik", x, x)
""",
        ((2, 5, 5),),
        "Net",
    ),
    "einsum_operands_list": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.randn(4, 8))

    def forward(self, x):
        return torch.einsum("bchw,oc->bohw", [x, self.w])
""",
        ((8, 5, 5),),
        "Net",
    ),
    "vae": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.e = nn.Linear(8, 4)
        self.v = nn.Linear(8, 4)
        self.d = nn.Linear(4, 8)

    def forward(self, x):
        m, lv = self.e(x), self.v(x)
        std = torch.exp(0.5 * lv)
        eps = torch.randn_like(std)
        z = m + eps * std
        return self.d(z), m, lv
""",
        ((8,),),
        "Net",
    ),
    "rand_sizes": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.d = nn.Linear(12, 8)

    def forward(self, x):
        n = torch.randn(x.size(0), 4, device=x.device, dtype=x.dtype)
        return self.d(torch.cat([x, n], 1))
""",
        ((8,),),
        "Net",
    ),
    "bernoulli": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()

    def forward(self, x):
        m = torch.bernoulli(torch.full_like(x, 0.5))
        return x * m
""",
        ((8,),),
        "Net",
    ),
    "batch_fold": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.c = nn.Conv2d(3, 4, 3)
        self.f = nn.Linear(4, 2)

    def forward(self, x):
        b, t, c, h, w = x.shape
        x = x.view(b * t, c, h, w)
        x = self.c(x).mean((2, 3))
        x = self.f(x)
        return x.view(b, t, -1).mean(1)
""",
        ((5, 3, 8, 8),),
        "Net",
    ),
    "batch_fold2": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.c = nn.Conv1d(1, 4, 3)

    def forward(self, x):
        B, N, L = x.size()
        x = x.reshape(-1, 1, L)
        x = self.c(x)
        x = x.reshape(B, N, *x.shape[1:])
        return x.flatten(2)
""",
        ((5, 20),),
        "Net",
    ),
    "pad_diff": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.d = nn.Conv2d(3, 4, 3, padding=1)
        self.e = nn.Conv2d(4, 8, 3, padding=1)
        self.up = nn.ConvTranspose2d(8, 4, 2, stride=2)
        self.c = nn.Conv2d(8, 2, 1)

    def forward(self, x):
        a = self.d(x)
        b = self.up(self.e(F.max_pool2d(a, 2)))
        dy = a.size(2) - b.size(2)
        dx = a.size()[3] - b.size()[3]
        b = F.pad(b, [dx // 2, dx - dx // 2, dy // 2, dy - dy // 2])
        return self.c(torch.cat([a, b], dim=1))
""",
        ((3, 9, 11),),
        "Net",
    ),
    "moduledict": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.b = nn.ModuleDict({"a": nn.Linear(4, 5), "b": nn.ReLU()})
        self.b["c"] = nn.Linear(5, 2)
        self.b.update({"d": nn.Linear(2, 2)})

    def forward(self, x):
        for k, m in self.b.items():
            x = m(x)
        return x
""",
        ((4,),),
        "Net",
    ),
    "moduledict_key": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.b = nn.ModuleDict([["lrelu", nn.LeakyReLU()], ["conv", nn.Conv2d(3, 4, 3)]])
        self.kind = "conv"

    def forward(self, x):
        if "conv" in self.b:
            x = self.b[self.kind](x)
        return self.b["lrelu"](x)
""",
        ((3, 8, 8),),
        "Net",
    ),
    "setattr": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        for i in range(3):
            setattr(self, f"fc{i}", nn.Linear(4, 4))

    def forward(self, x):
        for i in range(3):
            x = getattr(self, "fc%d" % i)(x)
        return x
""",
        ((4,),),
        "Net",
    ),
    "getattr_default": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(4, 4)

    def forward(self, x):
        f = getattr(self, "b", None) or self.a
        if hasattr(self, "zz"):
            return x[0]
        return f(x)
""",
        ((4,),),
        "Net",
    ),
    "getattr_F": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.act = "relu"

    def forward(self, x):
        return getattr(F, self.act)(x)
""",
        ((4,),),
        "Net",
    ),
    "getattr_nn": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.act = getattr(nn, "GELU")()

    def forward(self, x):
        return self.act(x)
""",
        ((4,),),
        "Net",
    ),
    "match": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.kind = "b"
        match self.kind:
            case "a":
                self.f = nn.Linear(4, 3)
            case "b" | "c":
                self.f = nn.Linear(4, 7)
            case _:
                raise ValueError(self.kind)

    def forward(self, x):
        match x.dim():
            case 2:
                return self.f(x)
            case n if n > 2:
                return x
""",
        ((4,),),
        "Net",
    ),
    "match_class": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.f = nn.Linear(4, 3)

    def forward(self, x):
        match x.shape:
            case (b, d):
                y = self.f(x)
            case (b, *rest):
                y = x
        return y
""",
        ((4,),),
        "Net",
    ),
    "walrus": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.f = nn.Linear(4, 3)

    def forward(self, x):
        if (n := x.shape[1]) > 3:
            x = self.f(x)
        return x * n
""",
        ((4,),),
        "Net",
    ),
    "walrus2": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.l = nn.ModuleList([y := nn.Linear(4, 4), nn.ReLU(), y])

    def forward(self, x):
        for m in self.l:
            x = m(x)
        return x
""",
        ((4,),),
        "Net",
    ),
    "deco_nograd": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.f = nn.Linear(4, 3)

    def forward(self, x):
        return self.g(x)

    @torch.no_grad()
    def g(self, x):
        return self.f(x)
""",
        ((4,),),
        "Net",
    ),
    "deco_inference": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.f = nn.Linear(4, 3)

    @torch.inference_mode()
    def forward(self, x):
        return self.f(x)
""",
        ((4,),),
        "Net",
    ),
    "deco_jit": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.f = nn.Linear(4, 3)

    @torch.jit.export
    def h(self, x):
        return self.f(x)

    @torch.jit.ignore
    def g(self, x):
        return x

    def forward(self, x):
        return self.g(self.h(x))
""",
        ((4,),),
        "Net",
    ),
    "deco_prop": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.f = nn.Linear(4, 3)

    @property
    def width(self):
        return 3

    @staticmethod
    def act(x):
        return F.relu(x)

    @classmethod
    def make(cls):
        return cls()

    def forward(self, x):
        return self.act(self.f(x)).view(-1, self.width)
""",
        ((4,),),
        "Net.make()",
    ),
    "deco_cached": (
        """
import functools


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.f = nn.Linear(4, 3)

    @functools.lru_cache(None)
    def k(self):
        return 3

    @functools.cached_property
    def j(self):
        return 2

    def forward(self, x):
        return self.f(x).repeat(1, self.k() * self.j)
""",
        ((4,),),
        "Net",
    ),
    "deco_own": (
        """
import functools


def timed(f):
    @functools.wraps(f)
    def g(*a, **k):
        return f(*a, **k)

    return g


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.f = nn.Linear(4, 3)

    @timed
    def forward(self, x):
        return self.f(x)
""",
        ((4,),),
        "Net",
    ),
    "hints": (
        """
from typing import Optional, Union, List, Tuple, Sequence


class Net(nn.Module):
    f: nn.Linear

    def __init__(self, w: int = 3, act: Optional[nn.Module] = None, sizes: "Sequence[int]" = (4, 4)) -> None:
        super().__init__()
        self.f: nn.Linear = nn.Linear(sizes[0], w)
        self.act: nn.Module = act or nn.ReLU()

    def forward(self, x: Tensor, mask: Optional[Tensor] = None) -> Tuple[Tensor, List[int]]:
        y: Tensor = self.act(self.f(x))
        if mask is not None:
            y = y * mask
        return y
""",
        ((4,),),
        "Net",
    ),
    "assert_shape": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.f = nn.Linear(4, 3)

    def forward(self, x):
        assert x.shape == (x.shape[0], 4), x.shape
        y = self.f(x)
        assert y.shape[-1] == 3
        assert y.ndim == 2
        b, d = x.shape
        assert d == 4 and b == x.size(0)
        return y
""",
        ((4,),),
        "Net",
    ),
    "assert_shape_bad": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.f = nn.Linear(4, 3)

    def forward(self, x):
        y = self.f(x)
        assert y.shape == (x.size(0), 5)
        return y
""",
        ((4,),),
        "Net",
    ),
    "assert_bad2": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.f = nn.Linear(4, 3)

    def forward(self, x):
        y = self.f(x)
        assert y.shape[1:] == (5,), "no"
        return y
""",
        ((4,),),
        "Net",
    ),
    "assert_list": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.f = nn.Linear(4, 3)

    def forward(self, x):
        y = self.f(x)
        assert list(y.shape) == [x.shape[0], 3]
        assert y.size() == torch.Size([x.shape[0], 3])
        assert tuple(y.shape[1:]) == (3,)
        return y
""",
        ((4,),),
        "Net",
    ),
    "assert_range": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.f = nn.Linear(4, 3)

    def forward(self, x):
        assert x.max() <= 1.0
        assert not torch.isnan(x).any()
        return self.f(x)
""",
        ((4,),),
        "Net",
    ),
    "enumerate_zip": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.ModuleList(nn.Linear(4, 4) for _ in range(3))
        self.b = nn.ModuleList([nn.ReLU(), nn.Tanh(), nn.Sigmoid()])

    def forward(self, x):
        for i, (l, a) in enumerate(zip(self.a, self.b)):
            x = a(l(x)) + (x if i else 0)
        return x
""",
        ((4,),),
        "Net",
    ),
    "reversed_slice": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.ModuleList([nn.Linear(4, 4), nn.Linear(4, 5), nn.Linear(5, 4)])

    def forward(self, x):
        for l in self.a[1:]:
            x = l(x)
        for l in reversed(self.a[:1]):
            x = l(x)
        return self.a[-2](x)
""",
        ((4,),),
        "Net",
    ),
    "while": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.f = nn.Conv1d(2, 2, 3, stride=2)

    def forward(self, x):
        while x.shape[-1] > 5:
            x = self.f(x)
        return x
""",
        ((2, 40),),
        "Net",
    ),
    "try": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        try:
            self.f = nn.Linear(4, 3)
        except Exception:
            self.f = None

    def forward(self, x):
        try:
            return self.f(x)
        finally:
            pass
""",
        ((4,),),
        "Net",
    ),
    "lambda": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = lambda t: t * 2
        self.f = nn.Linear(4, 3)

    def forward(self, x):
        return self.a(self.f(x))
""",
        ((4,),),
        "Net",
    ),
    "apply_init": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.f = nn.Linear(4, 3)
        self.apply(self._init)

    def forward(self, x):
        return self.f(x)

    def _init(self, m):
        if isinstance(m, nn.Linear):
            nn.init.normal_(m.weight, std=0.02)
            m.bias.data.zero_()
""",
        ((4,),),
        "Net",
    ),
    "modules_loop": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.f = nn.Conv2d(3, 4, 3)
        self.b = nn.BatchNorm2d(4)
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                n = m.kernel_size[0] * m.kernel_size[1] * m.out_channels
                m.weight.data.normal_(0, math.sqrt(2.0 / n))
            elif isinstance(m, (nn.BatchNorm2d, nn.GroupNorm)):
                nn.init.constant_(m.weight, 1)

    def forward(self, x):
        return self.b(self.f(x))
""",
        ((3, 8, 8),),
        "Net",
    ),
    "freeze": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.f = nn.Linear(4, 3)
        for p in self.parameters():
            p.requires_grad = False
        self.f.requires_grad_(False)

    def forward(self, x):
        return self.f(x)
""",
        ((4,),),
        "Net",
    ),
    "buffer": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("pe", torch.zeros(1, 16, 8))

    def forward(self, x):
        return x + self.pe[:, : x.size(1)]
""",
        ((5, 8),),
        "Net",
    ),
    "posenc": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        pe = torch.zeros(50, 8)
        pos = torch.arange(0, 50, dtype=torch.float).unsqueeze(1)
        div = torch.exp(torch.arange(0, 8, 2).float() * (-math.log(10000.0) / 8))
        pe[:, 0::2] = torch.sin(pos * div)
        pe[:, 1::2] = torch.cos(pos * div)
        self.register_buffer("pe", pe.unsqueeze(0))

    def forward(self, x):
        return x + self.pe[:, : x.size(1)]
""",
        ((5, 8),),
        "Net",
    ),
    "lstmcell": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.c = nn.LSTMCell(4, 6)
        self.f = nn.Linear(6, 2)

    def forward(self, x):
        h = torch.zeros(x.size(0), 6)
        c = torch.zeros(x.size(0), 6)
        out = []
        for t in range(x.size(1)):
            h, c = self.c(x[:, t], (h, c))
            out.append(self.f(h))
        return torch.stack(out, 1)
""",
        ((7, 4),),
        "Net",
    ),
    "grucell": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.c = nn.GRUCell(4, 6)

    def forward(self, x):
        h = x.new_zeros(x.size(0), 6)
        for t in range(x.shape[1]):
            h = self.c(x[:, t, :], h)
        return h
""",
        ((7, 4),),
        "Net",
    ),
    "super_kwargs": (
        """
class Base(nn.Module):
    def __init__(self, width, **kw):
        super().__init__()
        self.f = nn.Linear(4, width, **kw)

    def forward(self, x):
        return self.head(self.f(x))


class Net(Base):
    def __init__(self, *a, **k):
        k.setdefault("bias", False)
        super(Net, self).__init__(*(a or (5,)), **k)
        self.head = nn.Identity()
""",
        ((4,),),
        "Net",
    ),
    "dataclass_cfg": (
        """
from dataclasses import dataclass, field


@dataclass
class Cfg:
    width: int = 4
    depths: list = field(default_factory=lambda: [1, 2])

    def total(self):
        return sum(self.depths)


class Net(nn.Module):
    def __init__(self, cfg=Cfg(width=6)):
        super().__init__()
        self.l = nn.Sequential(
            *[nn.Linear(4 if i == 0 else cfg.width, cfg.width) for i in range(cfg.total())]
        )

    def forward(self, x):
        return self.l(x)
""",
        ((4,),),
        "Net",
    ),
    "enum": (
        """
from enum import Enum


class K(Enum):
    A = "a"
    B = "b"


class Net(nn.Module):
    def __init__(self, k=K.B):
        super().__init__()
        self.f = nn.Linear(4, 3 if k is K.A else 7)
        self.k = k.value

    def forward(self, x):
        return self.f(x) if self.k == "b" else x
""",
        ((4,),),
        "Net",
    ),
    "namedtuple": (
        """
from collections import namedtuple, OrderedDict
from typing import NamedTuple

Out = namedtuple("Out", "y z")


class S(NamedTuple):
    w: int
    k: int = 3


CFG = [S(4), S(8, 5)]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        c = 3
        l = OrderedDict()
        for i, s in enumerate(CFG):
            l[f"c{i}"] = nn.Conv2d(c, s.w, s.k, padding=s.k // 2)
            c = s.w
        self.s = nn.Sequential(l)

    def forward(self, x):
        o = Out(self.s(x), x)
        return o.y, o.z
""",
        ((3, 8, 8),),
        "Net",
    ),
    "fstring_modules": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self._modules["a"] = nn.Linear(4, 3)
        self.add_module("b", nn.Linear(3, 2))

    def forward(self, x):
        return self._modules["b"](self.a(x))
""",
        ((4,),),
        "Net",
    ),
    "chunk_gate": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.f = nn.Linear(4, 12)

    def forward(self, x):
        a, b, c = self.f(x).chunk(3, -1)
        return a * torch.sigmoid(b) + c
""",
        ((4,),),
        "Net",
    ),
    "split_idx": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.f = nn.Linear(4, 12)

    def forward(self, x):
        a, b = torch.split(self.f(x), [4, 8], dim=1)
        return torch.cat((a, b.view(-1, 2, 4).sum(1)), 1)
""",
        ((4,),),
        "Net",
    ),
    "unfold": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()

    def forward(self, x):
        p = F.unfold(x, 3, padding=1)
        return F.fold(p, (8, 8), 3, padding=1)
""",
        ((3, 8, 8),),
        "Net",
    ),
    "tensor_unfold": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()

    def forward(self, x):
        return x.unfold(2, 4, 2)
""",
        ((3, 10),),
        "Net",
    ),
    "roll_flip": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()

    def forward(self, x):
        return torch.flip(torch.roll(x, 1, dims=2), [1])
""",
        ((3, 10),),
        "Net",
    ),
    "topk": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()

    def forward(self, x):
        v, i = x.topk(3, dim=1)
        return v, i, x.argmax(1), x.sort(1)[0]
""",
        ((10,),),
        "Net",
    ),
    "gather": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()

    def forward(self, x):
        i = x.argmax(1, keepdim=True)
        return x.gather(1, i)
""",
        ((10,),),
        "Net",
    ),
    "where": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()

    def forward(self, x):
        return torch.where(x > 0.5, x, torch.zeros_like(x))
""",
        ((10,),),
        "Net",
    ),
    "mask_fill": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()

    def forward(self, x):
        m = torch.tril(torch.ones(5, 5))
        return x.masked_fill(m == 0, float("-inf")).softmax(-1)
""",
        ((5, 5),),
        "Net",
    ),
    "sdpa": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.q = nn.Linear(8, 24)

    def forward(self, x):
        q, k, v = self.q(x).chunk(3, -1)
        q, k, v = (t.view(x.size(0), -1, 2, 4).transpose(1, 2) for t in (q, k, v))
        y = F.scaled_dot_product_attention(q, k, v)
        return y.transpose(1, 2).flatten(2)
""",
        ((5, 8),),
        "Net",
    ),
    "cumsum": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()

    def forward(self, x):
        return x.cumsum(1), x.norm(dim=1), x.std(1), x.var((1,))
""",
        ((10,),),
        "Net",
    ),
    "transformer": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        l = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.t = nn.TransformerEncoder(l, 2)
        self.cls = nn.Parameter(torch.zeros(1, 1, 8))

    def forward(self, x):
        c = self.cls.expand(x.shape[0], -1, -1)
        return self.t(torch.cat([c, x], 1))[:, 0]
""",
        ((5, 8),),
        "Net",
    ),
    "lazy": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.c = nn.LazyConv2d(4, 3)
        self.f = nn.LazyLinear(2)

    def forward(self, x):
        return self.f(self.c(x).flatten(1))
""",
        ((3, 8, 8),),
        "Net",
    ),
    "weightnorm": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        from torch.nn.utils import weight_norm, spectral_norm

        self.c = weight_norm(nn.Conv1d(3, 4, 3))
        self.d = spectral_norm(nn.Conv1d(4, 4, 3))

    def forward(self, x):
        return self.d(self.c(x))
""",
        ((3, 10),),
        "Net",
    ),
    "parametrize": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.c = nn.utils.parametrizations.weight_norm(nn.Conv1d(3, 4, 3))

    def forward(self, x):
        return self.c(x)
""",
        ((3, 10),),
        "Net",
    ),
    "checkpoint": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.f = nn.Linear(4, 3)

    def forward(self, x):
        from torch.utils.checkpoint import checkpoint

        return checkpoint(self.f, x, use_reentrant=False)
""",
        ((4,),),
        "Net",
    ),
    "interp_like": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.c = nn.Conv2d(3, 4, 3, stride=2)

    def forward(self, x):
        y = self.c(x)
        return F.interpolate(y, x.shape[-2:], mode="bilinear", align_corners=False) + x.mean(1, keepdim=True)
""",
        ((3, 9, 9),),
        "Net",
    ),
    "pixel_shuffle": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.c = nn.Conv2d(3, 12, 3, padding=1)
        self.p = nn.PixelShuffle(2)

    def forward(self, x):
        return self.p(self.c(x))
""",
        ((3, 8, 8),),
        "Net",
    ),
    "dict_out": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(4, 2)

    def forward(self, x):
        out = {}
        out["a"] = self.a(x)
        out["b"] = x
        return out
""",
        ((4,),),
        "Net",
    ),
    "kwargs_call": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.h = nn.ModuleList([nn.Linear(4, 2), nn.Linear(4, 3)])

    def forward(self, x):
        return [h(input=x) for h in self.h]
""",
        ((4,),),
        "Net",
    ),
    "nested_func": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()

        def block(i, o):
            return nn.Sequential(nn.Linear(i, o), nn.ReLU())

        self.b = nn.Sequential(block(4, 5), block(5, 6))

    def forward(self, x):
        def go(t):
            return self.b(t)

        return go(x)
""",
        ((4,),),
        "Net",
    ),
    "global_const": (
        """
W = 16
CFG = {"a": [W, "M", W * 2]}


def make(cfg, c=3):
    l = []
    for v in cfg:
        if v == "M":
            l += [nn.MaxPool2d(2)]
        else:
            l += [nn.Conv2d(c, v, 3, padding=1), nn.ReLU(inplace=True)]
            c = v
    return nn.Sequential(*l)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.f = make(CFG["a"])
        self.fc = nn.Linear(W * 2 * 4 * 4, 10)

    def forward(self, x):
        x = self.f(x)
        return self.fc(torch.flatten(x, start_dim=1))
""",
        ((3, 8, 8),),
        "Net",
    ),
    "conv_mix": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.c = nn.ModuleList([nn.Conv2d(3, k, k, padding=k // 2) for k in (1, 3, 5)])

    def forward(self, x):
        return torch.cat([c(x) for c in self.c], dim=1)
""",
        ((3, 8, 8),),
        "Net",
    ),
    "multi_in": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(4, 3)
        self.b = nn.Linear(5, 3)

    def forward(self, x, y):
        return F.cosine_similarity(self.a(x), self.b(y))
""",
        ((4,), (5,)),
        "Net",
    ),
    "star_args": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(4, 3)

    def forward(self, *xs):
        x = xs[0]
        return self.a(x)
""",
        ((4,),),
        "Net",
    ),
    "out_of_try": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.f = nn.Linear(4, 3)

    def forward(self, x):
        if torch.is_grad_enabled() and self.training:
            x = x + torch.randn_like(x)
        return self.f(x)
""",
        ((4,),),
        "Net",
    ),
    "numel": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.f = nn.Linear(48, 3)

    def forward(self, x):
        n = x[0].numel()
        return self.f(x.view(x.shape[0], n))
""",
        ((3, 4, 4),),
        "Net",
    ),
    "num_flat": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.f = nn.Linear(48, 3)

    def forward(self, x):
        return self.f(x.view(-1, self.nf(x)))

    def nf(self, x):
        n = 1
        for s in x.size()[1:]:
            n *= s
        return n
""",
        ((3, 4, 4),),
        "Net",
    ),
    "del": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.f = nn.Linear(4, 4)
        self.g = nn.Linear(4, 2)
        del self.g

    def forward(self, x):
        y = self.f(x)
        del x
        return y
""",
        ((4,),),
        "Net",
    ),
    "assign_parts": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.f = nn.Linear(4, 4)

    def forward(self, x):
        x[:, 0] = 0
        x = x.clone()
        x[..., 1:] += 1
        return self.f(x)
""",
        ((4,),),
        "Net",
    ),
    "meshgrid": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()

    def forward(self, x):
        a, b = torch.meshgrid(torch.arange(4), torch.arange(5), indexing="ij")
        return x + torch.stack([a, b]).float()
""",
        ((2, 4, 5),),
        "Net",
    ),
    "numbers_of_tensors": (_MORE, ((9,),), "Net"),
}
