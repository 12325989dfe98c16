"""Inputs that are made to be slow: each is answered in 2 s of CPU and 200 MiB, at growing sizes, as the command runs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sampling import FULL

HEAD = "model M {\n    input [3, 32, 32]\n"


def numbered(count: int, text: str, between: str = "") -> str:
    return between.join(text.replace("@", str(i)) for i in range(count))


# A text of about `n` parts each; the largest n is what a file of 4 MB or 150,000 words and signs can hold.
KINDS = {
    "unknown settings": (30_000, lambda n: f"{HEAD}Flatten\nLinear(10)\n}}\ntrain {{\n{numbered(n, 's@ = 1' + chr(10))}}}"),
    "settings again": (30_000, lambda n: f"{HEAD}Flatten\nLinear(10)\n}}\ntrain {{\n{numbered(n, 'epochs = @' + chr(10))}}}"),
    "unknown arguments": (40_000, lambda n: f"{HEAD}Conv2d(16, 3, {numbered(n, 'a@=1', ', ')})\n}}"),
    "arguments of a block": (
        20_000,
        lambda n: f"block B({numbered(n, 'p@=1', ', ')}) {{ ReLU }}\n{HEAD}B({numbered(n, 'q@=1', ', ')})\n}}",
    ),
    "long string": (3_900_000, lambda n: f'{HEAD}Conv2d(16, 3, padding="{"x" * n}")\n}}'),
    "escapes": (1_900_000, lambda n: f'{HEAD}Conv2d(16, 3, padding="{chr(92) + "n"}{(chr(92) + "n") * n}")\n}}'),
    "blank lines": (3_900_000, lambda n: f"{HEAD}ReLU{chr(10) * n}}}"),
    "comments": (1_300_000, lambda n: f"{HEAD}ReLU\n{'#a' + chr(10)}{('#a' + chr(10)) * n}}}"),
    "misspelt blocks": (
        20_000,
        lambda n: f"{numbered(n, 'block Name@ { ReLU }' + chr(10))}{HEAD}{numbered(n, 'Nmae@' + chr(10))}}}",
    ),
    "misspelt layers": (30_000, lambda n: f"{HEAD}{numbered(n, 'Cov@d(3)' + chr(10))}}}"),
    "misspelt values": (20_000, lambda n: f"{HEAD}{numbered(n, 'let v@ = w@' + chr(10))}}}"),
    "long names": (1_900_000, lambda n: f"block {'A' * n} {{ ReLU }}\n{HEAD}{'A' * (n - 1)}\n}}"),
    "statements on a line": (30_000, lambda n: f"{HEAD}{'ReLU; ' * n}\n}}"),
    "the same model": (15_000, lambda n: "model M { input [3]; ReLU }\n" * n),
    "suppressions": (20_000, lambda n: HEAD + "ReLU # cnnspec: ignore[W202]\n" * n + "}"),
    "unknown suppressions": (20_000, lambda n: f"{HEAD}ReLU\n}}\n# cnnspec: ignore[{numbered(n, 'W@x', ',')}]"),
    "unknown names in an import": (30_000, lambda n: f'from "lib.cnn" import {numbered(n, "a@", ", ")}\n{HEAD}ReLU\n}}'),
    "many imports": (
        31,
        lambda n: numbered(n, 'from "big@.cnn" import B@\n') + HEAD + numbered(n, "B@; ") + "ReLU\n}",
    ),
    "unclosed brackets": (60_000, lambda n: f"{HEAD}{'Linear(' + chr(10)}{('Linear(' + chr(10)) * n}}}"),
    "unknown characters": (60_000, lambda n: f"{HEAD}{('$ % &' + chr(10)) * n}}}"),
    "digits": (3_000_000, lambda n: f"{HEAD}let x = {'9' * n}\n}}"),
}  # fmt: skip
SHARES = (0.01, 0.05, 0.25, 0.5, 1.0) if FULL else (0.01, 0.1)

RUN = """
import json, os, sys, time
sys.path.insert(0, sys.argv[1])
from cnnspec.cli.main import main
import cnnspec.pipeline, cnnspec.repair.search
from tests.pace import work

for name in json.load(sys.stdin):
    out, end = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(out)
        sys.stdout = open(os.devnull, "w")
        if sys.argv[2] == "linux":
            open("/proc/self/clear_refs", "w").write("5")
        pace, before = work(), time.process_time()
        code = main(["check", "--color=never", name])
        seconds = time.process_time() - before
        pace = (pace + work()) / 2
        peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
        os.write(end, json.dumps([name, code, seconds, pace, peak]).encode())
        os._exit(0)
    os.close(end)
    with open(out) as answer:
        print(answer.read() or json.dumps([name, None, 0, 1, 0]), flush=True)
    os.waitpid(child, 0)
"""
PACE = 0.06
"""CPU seconds of `work` on the machine that the bound of 2 s is meant for."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "cnnspec.toml").write_text("")
    (folder / "lib.cnn").write_text(numbered(1_000, "block b@ { ReLU }\n"))
    for i in range(31):
        (folder / f"big{i}.cnn").write_text(f"block B{i} {{\n" + "ReLU\n" * 1_000 + "}\n")
    return folder


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads the peak of memory from /proc")
@pytest.mark.parametrize("kind", KINDS)
def test_hostile_inputs_are_answered_in_time(folder: Path, kind: str):
    most, text = KINDS[kind]
    names = []
    for share in SHARES:
        names.append(f"{kind.replace(' ', '_')}{int(100 * share)}.cnn")
        (folder / names[-1]).write_text(text(max(1, int(share * most))))
    run = subprocess.run(
        [sys.executable, "-c", RUN, str(Path(__file__).parent.parent), "linux"],
        input=json.dumps(names), capture_output=True, text=True, cwd=folder, check=True,
    )  # fmt: skip
    answers = [json.loads(line) for line in run.stdout.splitlines()]
    assert [answer[0] for answer in answers] == names
    for name, code, seconds, pace, peak in answers:
        assert code in (0, 1), (name, run.stderr)
        assert seconds * PACE / pace < 2, name
        assert peak < 200 * 1024, name
