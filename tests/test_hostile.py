"""Inputs that are made to be slow: each is answered in 2 s of CPU and 200 MiB, at growing sizes, as the command runs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hostile_texts import KINDS, numbered
from tests.sampling import FULL

SHARES = (0.01, 0.05, 0.25, 0.5, 1.0) if FULL else (0.04,)
TRIED = list(KINDS) if FULL else list(KINDS)[::9]

RUN = """
import json, os, resource, sys, time
sys.path.insert(0, sys.argv[1])
from cnnspec.cli.main import main
import cnnspec.pipeline, cnnspec.repair.search
from tests.pace import work

for name in json.load(sys.stdin):
    out, end = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(out)
        resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
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
PACE = 0.03
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
@pytest.mark.parametrize("kind", TRIED)
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
