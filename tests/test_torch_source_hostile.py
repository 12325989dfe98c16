"""Files that are meant to do harm: each is answered in bounded time and memory, and nothing of any of them is run."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
HEAD = "import torch\nimport torch.nn as nn\nimport torch.nn.functional as F\n"


def net(init: str = "pass", forward: str = "return x", before: str = "") -> str:
    """A module with these statements."""
    indent = " " * 8
    return (
        f"{HEAD}{before}\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        f"{textwrap.indent(init, indent)}\n    def forward(self, x):  # cnnspec: input 3x32x32\n"
        f"{textwrap.indent(forward, indent)}\n"
    )


BOMB = "a = [0]\nfor i in range(60):\n    a = [a, a]\n"
HOSTILE = {
    "power": net("self.n = 10 ** 10 ** 10"),
    "power of powers": net("n = 9\nfor i in range(40):\n    n = n ** 9"),
    "multiplied integers": net("n = 3\nfor i in range(5000):\n    n = n * n"),
    "shift": net("self.n = 1 << 10 ** 12"),
    "negative shift": net("self.n = 1 << -5"),
    "list times a number": net("self.n = [0] * 10 ** 12"),
    "text times a number": net("self.n = 'a' * 10 ** 12"),
    "bytes times a number": net("self.n = b'a' * 10 ** 12"),
    "doubled list": net("a = [0]\nfor i in range(100):\n    a = a + a"),
    "doubled text": net("a = 'x'\nfor i in range(100):\n    a += a"),
    "many lists": net("a = []\nfor i in range(10 ** 5):\n    a.append([0] * 10 ** 5)"),
    "many ranges": net("a = []\nfor i in range(1000):\n    a.append(list(range(10 ** 5)))"),
    "range": net("for i in range(10 ** 18):\n    pass"),
    "huge range": net("for i in range(-10 ** 30, 10 ** 40):\n    pass"),
    "endless loop": net("while True:\n    pass"),
    "endless loop in forward": net(forward="while True:\n    x = x + 1"),
    "nested loops": net("for a in range(9999):\n    for b in range(9999):\n        for c in range(9999):\n            pass"),
    "nested comprehension": net("self.n = [a for a in range(9999) for b in range(9999) for c in range(9999)]"),
    "recursion": net("self.f(0)", "return x\n\ndef f(self, n):\n    return self.f(n + 1)".replace("\n", "\n")),
    "recursion of functions": net("f(1)", before="def f(n):\n    return g(n)\ndef g(n):\n    return f(n) + f(n)\n"),
    "two calls each": net("f(90)", before="def f(n):\n    return f(n - 1) + f(n - 1) if n else 0\n"),
    "lambda recursion": net("f = lambda g: g(g)\nf(f)"),
    "module in itself": net("self.me = self", "return self.me(x)"),
    "list in itself": net("a = []\na.append(a)\nself.a = str(a)\nself.b = a == a\nself.c = nn.Sequential(*a)"),
    "exponential list compared": net(BOMB + "b = [0]\nfor i in range(60):\n    b = [b, b]\nself.same = a == b"),
    "exponential list as text": net(BOMB + "self.text = str(a)"),
    "exponential list formatted": net(BOMB + "self.text = f'{a}' + '%s' % (a,) + '{}'.format(a)"),
    "exponential tuple as key": net("a = (0,)\nfor i in range(60):\n    a = (a, a)\nself.d = {a: 1}"),
    "exponential tuple in a set": net("a = (0,)\nfor i in range(60):\n    a = (a, a)\nself.d = {a}"),
    "exponential argument": net(BOMB + "self.c = nn.Conv2d(3, 8, a)"),
    "exponential padding": net(BOMB, "a = [0]\nfor i in range(60):\n    a = [a, a]\nreturn F.pad(x, a)"),
    "exponential deepcopy": net("import copy\n" + BOMB + "self.b = copy.deepcopy(a)"),
    "exponential return": net(forward="for i in range(60):\n    x = (x, x)\nreturn x"),
    "format width": net("self.n = '%1000000000d' % 3"),
    "format star": net("self.n = '%*d' % (1000000000, 3)"),
    "f-string width": net("self.n = f'{3:1000000000d}'"),
    "nested f-string width": net("w = 10 ** 9\nself.n = f'{3:{w}d}'"),
    "format call width": net("self.n = '{:>1000000000}'.format(3)"),
    "format of an attribute": net("self.n = '{0.__class__.__mro__}'.format(self)"),
    "replace": net("a = 'a' * 10 ** 5\nself.n = a.replace('a', a)"),
    "join": net("a = 'a' * 10 ** 5\nself.n = a.join([a] * 10 ** 5)"),
    "product": net("import itertools\nself.n = list(itertools.product(range(9999), range(9999), range(9999)))"),
    "zip of ranges": net("for i in range(10 ** 4):\n    a = list(zip(range(10 ** 5), range(10 ** 5)))"),
    "many layers": net("self.m = nn.Sequential(*[nn.Linear(3, 3) for i in range(10 ** 9)])"),
    "many real layers": net("self.m = nn.ModuleList([nn.Conv2d(3, 3, 1) for i in range(90000)])"),
    "huge layer": net("self.m = nn.Linear(10 ** 18, 10 ** 18)"),
    "huge padding": net("self.m = nn.Conv2d(3, 3, 3, padding=2 ** 62)", "return self.m(x)"),
    "huge view": net(forward="return x.view(-1, 10 ** 30)"),
    "huge expand": net(forward="return x.unsqueeze(0).expand(10 ** 30, -1, -1, -1, -1)"),
    "many dimensions": net(forward="for i in range(10 ** 5):\n    x = x.unsqueeze(0)\nreturn x"),
    "many parts": net(forward="return torch.zeros(10 ** 12).split(1)"),
    "many parts unbound": net(forward="return torch.zeros(10 ** 12).unbind(0)"),
    "split of nothing": net(forward="return x.split(0)"),
    "infinite stack": net("self.m = nn.LSTM(3, 3, 10 ** 15)"),
    "unpacked": net("a, *b = range(10 ** 18)"),
    "generator": net("self.n = list(g())", before="def g():\n    while True:\n        yield 1\n"),
    "metaclass": net(before="class M(type):\n    def __call__(cls):\n        return open('/etc/passwd')\n"),
    "code in a string": net("eval('1')\nexec('import os')\n__import__('os').system('touch hostile')"),
    "file": net("self.n = open('/dev/zero').read()"),
    "import of a device": "from ......etc import passwd\nimport os\nos.system('touch hostile')\n" + net(),
    "nested brackets": "x = " + "(" * 5000 + ")" * 5000 + "\n" + net(),
    "nested signs": "x = " + "-" * 100000 + "1\n" + net(),
    "long sum": net("self.n = " + " + ".join(["1"] * 20000)),
    "many names": "\n".join(f"a{n} = a{n + 1}" for n in range(20000)) + "\n" + net("self.n = a0"),
    "names in a circle": "a = b\nb = a\n" + net("self.n = nn.Linear(a, 3)"),
    "class in a circle": "class A(B):\n    pass\nclass B(A):\n    pass\n" + net("self.a = A()"),
    "large file": "x = [" + "1," * 400000 + "]\n" + net(),
    "null byte": "x = '\0'\n" + net(),
    "int of a text": net("self.n = int('9' * 99999)"),
    "text of an int": net("self.n = str(9 ** 600)"),
    "step of zero": net(forward="return x[::0]"),
    "getattr": net("self.n = getattr(self, '__class__').__init__.__globals__"),
    "setattr": net("setattr(nn, 'Linear', 3)\nsetattr(self, '__class__', 3)"),
    "properties": net("self.p", "return x\n\n@property\ndef p(self):\n    return self.p"),
    "getattr of a module": net("self.q", "return x\n\ndef __getattr__(self, name):\n    return getattr(self, name + 'x')"),
    "math": net("import math\nself.n = math.exp(10 ** 9) + math.ceil(1e308 * 10) + math.gcd(3 ** 9000, 9)"),
}  # fmt: skip

RUN = """
import contextlib, io, json, resource, sys, time
from cnnspec.cli.main import main
found = {}
for name, path in json.load(sys.stdin).items():
    begin = time.process_time()
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(["check", path, "-q"])
    found[name] = [code, time.process_time() - begin, err.getvalue()]
# Not ru_maxrss: Linux hands it down from the process that started this one.
peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps({"found": found, "kilobytes": peak}))
"""


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The exit code, CPU seconds and error text of the check of every file, all of one process, and its peak memory."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "cnnspec.toml").touch()
    paths = {}
    for number, (name, text) in enumerate(HOSTILE.items()):
        path = folder / f"model{number}.py"
        path.write_text(text)
        paths[name] = str(path)

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))

    code = f"import sys\nsys.path[:0] = [{str(ROOT)!r}]\n{RUN}"
    run = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], input=json.dumps(paths),
        capture_output=True, text=True, check=True, cwd=folder, preexec_fn=limit,
    )  # fmt: skip
    assert len(list(folder.iterdir())) == len(paths) + 1, "a file has made another one"
    found: dict[str, Any] = json.loads(run.stdout)
    return found


def test_there_are_enough():
    assert len(HOSTILE) >= 60


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_answered(name: str, answers: dict[str, Any]):
    code, seconds, errors = answers["found"][name]
    assert code in (0, 1), errors
    assert errors == ""
    assert seconds < 2


def test_memory_is_bounded(answers: dict[str, Any]):
    assert answers["kilobytes"] < 200 * 1024


def test_a_link_out_of_the_project_is_not_read(tmp_path: Path):
    outside = tmp_path / "outside.py"
    outside.write_text("WIDTH = 4\n")
    project = tmp_path / "project"
    project.mkdir()
    (project / "cnnspec.toml").touch()
    (project / "inner.py").symlink_to(outside)
    (project / "model.py").write_text(
        "from inner import WIDTH\n" + net("self.m = nn.Linear(WIDTH, 3)", "return self.m(x)")
    )
    from cnnspec.diagnostics import Sink
    from cnnspec.source import Source
    from cnnspec.torch_source.check import Options, check_python

    path = project / "model.py"
    sink = Sink()
    (outcome,) = check_python(Source("model.py", path.read_text()), str(path), sink, Options())
    assert outcome.stop == "`inner.WIDTH`, which is not in the project"
    assert not sink.diagnostics
