"""Seeded mistakes in public models, which torch refuses, and what other checkers make of the same files.

    python -m benchmarks.torch_source_peers FILES.tsv FOLDER [--count 20] [--tools FOLDER_OF_COMMANDS]

Each checker reads the sound file and the one with the mistake; it has found the mistake where it says something of the second
file that it does not say of the first, and gives a false alarm where it calls the first wrong. A checker whose command is
not there is left out. pyrefly is given the interpreter that has torch, so that it reads torch's own type hints.
"""

from __future__ import annotations

import random
import re
import subprocess
import sys
from pathlib import Path

from benchmarks.torch_source import parse_shapes, truth
from benchmarks.torch_source_mistakes import mistakes
from cnnspec.diagnostics import Sink
from cnnspec.source import Source
from cnnspec.torch_source.check import Options, check_python

PEERS = {
    "pyrefly": ["pyrefly", "check", "--python-interpreter-path", sys.executable, "--output-format", "min-text"],
    "torchshapeflow": ["tsf", "check"],
    "torchtyc": ["torchtyc", "check"],
}


def said(command: list[str], file: Path) -> set[str]:
    """The lines in which a checker complains, without places."""
    try:
        run = subprocess.run([*command, str(file)], capture_output=True, text=True, check=False, timeout=120)
    except subprocess.TimeoutExpired:
        return set()
    lines = (run.stdout + run.stderr).splitlines()
    plain = (re.sub(r"\S*\.py[:\d-]*", "", line).strip() for line in lines if re.search(r"error|warning|TSF|TYC", line))
    return {line for line in plain if not re.match(r"(INFO|\d+ errors?|found)", line, re.IGNORECASE)}


def about_shapes(lines: set[str]) -> bool:
    return any(re.search(r"shape|dimension|channels|features|size", line, re.IGNORECASE) for line in lines)


def main() -> None:
    arguments = sys.argv[1:]
    rows = [line.split("\t") for line in Path(arguments[0]).read_text().splitlines()[1:] if line]
    folder = Path(arguments[1])
    count = int(arguments[arguments.index("--count") + 1]) if "--count" in arguments else 20
    tools = Path(arguments[arguments.index("--tools") + 1]) if "--tools" in arguments else Path(sys.executable).parent
    peers = {name: [str(tools / words[0]), *words[1:]] for name, words in PEERS.items() if (tools / words[0]).exists()}
    chosen = random.Random(0)
    found = dict.fromkeys(["cnnspec", *peers], 0)
    alarms = dict.fromkeys(found, 0)
    done = tried = 0
    while done < count and tried < 8 * count:
        tried += 1
        row = chosen.choice(rows)
        root = folder / row[0].replace("/", "+")
        file = root / row[2]
        shapes = parse_shapes(row[4].replace(" ", "").replace("+", ","))
        if not file.exists() or shapes is None:
            continue
        text = file.read_text(encoding="utf-8", errors="replace")
        options = Options(row[3], shapes, (), False, str(root))
        clean = Sink()
        sound = check_python(Source(str(file), text), str(file), clean, options)
        made = mistakes(text, chosen)
        if made is None or (sound and sound[0].stop and not clean.has_errors):
            continue
        copy = file.with_name("cnnspec_mutant.py")
        copy.write_text(made[0], encoding="utf-8")
        real = truth(copy, root, row[3], [shapes], 3, False, False)
        if real["load"] or "refused" in real["results"][0]:
            done += 1
            sink = Sink()
            check_python(Source(str(copy), made[0]), str(copy), sink, options)
            found["cnnspec"] += sink.has_errors
            alarms["cnnspec"] += clean.has_errors
            for name, command in peers.items():
                before = said(command, file)
                found[name] += bool(said(command, copy) - before)
                alarms[name] += about_shapes(before)
        copy.unlink()
    print(f"{done} mistakes that torch refuses")
    for name in found:
        print(f"{name:16} found {found[name]:3}   false alarms on the sound files {alarms[name]:3}")


if __name__ == "__main__":
    main()
