"""Seeded mistakes: numbers of public models changed, and what the check makes of each that torch refuses.

    python -m benchmarks.torch_source_mistakes FILES.tsv FOLDER [--count 100] [--seed 0] [--show]

Counted: mistakes found at all, the changed line among the places of a finding, and first fixes that put the old number back or
give a model that torch takes, with the parameters of the original.
"""

from __future__ import annotations

import ast
import random
import sys
from pathlib import Path

from benchmarks.torch_source import parse_shapes, truth
from cnnspec.diagnostics import Sink
from cnnspec.diagnostics.edits import apply
from cnnspec.source import Source
from cnnspec.torch_source.check import Options, check_python
from cnnspec.torch_source.script import Script

LAYERS = (
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "Linear",
    "BatchNorm1d",
    "BatchNorm2d",
    "ConvTranspose2d",
    "view",
    "reshape",
    "LSTM",
)


def mistakes(text: str, chosen: random.Random) -> tuple[str, int, str, str] | None:
    """The text with one number changed: the text, the line, the old number and the new one."""
    tree = ast.parse(text)
    script = Script(Source("", text), tree)
    places = []
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call):
            continue
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        own = name[:1].isupper() and name not in ("Sequential", "DataLoader", "Compose", "Normalize")
        if name in LAYERS or own:
            for value in call.args[:2] if name in LAYERS and name not in ("view", "reshape") else call.args:
                places += [
                    part for part in ast.walk(value) if isinstance(part, ast.Constant) and type(part.value) is int
                ]
    places = [part for part in places if part.value > 3]
    if not places:
        return None
    node = chosen.choice(places)
    old = node.value
    assert isinstance(old, int)
    new = chosen.choice([old * 2, old // 2, old + 1, old + 16])
    span = script.span(node)
    return text[: span.start] + str(new) + text[span.end :], span.line, str(old), str(new)


def main() -> None:
    arguments = sys.argv[1:]
    rows = [line.split("\t") for line in Path(arguments[0]).read_text().splitlines()[1:] if line]
    folder = Path(arguments[1])
    count = int(arguments[arguments.index("--count") + 1]) if "--count" in arguments else 100
    chosen = random.Random(int(arguments[arguments.index("--seed") + 1]) if "--seed" in arguments else 0)
    tally = {
        "mistakes": 0,
        "found": 0,
        "labelled": 0,
        "with fix": 0,
        "right first": 0,
        "accepted by both": 0,
        "false alarms": 0,
    }
    tried = 0
    while tally["mistakes"] < count and tried < 6 * count:
        tried += 1
        row = chosen.choice(rows)
        root = folder / row[0].replace("/", "+")
        file = root / row[2]
        shapes = parse_shapes(row[4].replace(" ", "").replace("+", ","))
        if not file.exists() or row[5].startswith(("refused", "not")) or shapes is None:
            continue
        text = file.read_text(encoding="utf-8", errors="replace")
        options = Options(row[3], shapes, (), False, str(root))
        clean = Sink()
        sound = check_python(Source(str(file), text), str(file), clean, options)
        if clean.has_errors or not sound or sound[0].stop:
            continue
        made = mistakes(text, chosen)
        if made is None:
            continue
        changed, line, old, new = made
        copy = file.with_name("cnnspec_mutant.py")
        copy.write_text(changed, encoding="utf-8")
        real = truth(copy, root, row[3], [shapes], 3, False, False)
        refused = real["load"] or "refused" in real["results"][0]
        sink = Sink()
        check_python(Source(str(copy), changed), str(copy), sink, options, fixes=True)
        copy.unlink()
        found = [one for one in sink.diagnostics if one.severity == "error"]
        if not refused:
            tally["accepted by both" if not found else "false alarms"] += 1
            if found:
                print("false alarm", file, line, old, new, [one.message for one in found])
            continue
        tally["mistakes"] += 1
        tally["found"] += bool(found)
        lines = {one.span.line for one in found} | {label.span.line for one in found for label in one.labels}
        tally["labelled"] += line in lines
        fixes = [fix for one in found for fix in one.fixes[:1]]
        tally["with fix"] += bool(fixes)
        right = False
        if fixes:
            mended = Sink()
            fixed = apply(changed, fixes[0].edits)
            again = check_python(Source(str(copy), fixed), str(copy), mended, options)
            right = not mended.has_errors and bool(again) and again[0].parameters == sound[0].parameters
        tally["right first"] += right
        if "--show" in arguments and (not found or line not in lines or not right):
            said = [f"{one.span.line} {one.message}" for one in found][:2]
            print(f"{'missed' if not found else 'unlabelled' if line not in lines else 'no right fix'}: "
                  f"{file.relative_to(folder)}:{line} {old} -> {new} {said} {[fix.message for fix in fixes[:1]]}")  # fmt: skip
    print(tally)


if __name__ == "__main__":
    main()
