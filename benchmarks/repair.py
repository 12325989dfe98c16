"""How good the fixes are: every number of every spec in `specs/` changed by one edit that breaks the spec.

    python -m benchmarks.repair [--quick] [--seconds 600] [--misses 20] [spec ...]

A number n becomes n - 1, n + 1, 2n and n // 2; lines with Flatten are deleted; neighbouring layers change places; names
lose a letter. A mutant that still checks is no mutant. Those of a file in `specs/blocks` are checked through the first spec
that imports it.
"""

from __future__ import annotations

import argparse
import random
import re
import shutil
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from cnnspec.diagnostics import Diagnostic, Sink
from cnnspec.diagnostics.edits import apply
from cnnspec.pipeline import check
from cnnspec.source import Source
from cnnspec.syntax.read import read_source

SPECS = Path(__file__).parent.parent / "specs"
GOALS = {"changed line shown": 99, "a fix that checks": 95, "original among the first three": 97, "one diagnostic": 97}


class Mutant(NamedTuple):
    path: Path
    kind: str
    line: int
    text: str
    original: str


class Outcome(NamedTuple):
    mutant: Mutant
    diagnostics: list[Diagnostic]
    shown: bool
    fixed: bool
    restored: bool
    seconds: float


def code_of(text: str) -> str:
    """The text without what comments and strings hold, at the same places."""
    return re.sub(r'#[^\n]*|"[^"\n]*"', lambda match: " " * len(match[0]), text)


def mutants(path: Path) -> list[Mutant]:
    text = path.read_text(encoding="utf-8")
    code = code_of(text)
    found: list[Mutant] = []

    def add(kind: str, start: int, end: int, new: str) -> None:
        line = text.count("\n", 0, start) + 1
        found.append(Mutant(path, kind, line, text[:start] + new + text[end:], text))

    for match in re.finditer(r"(?<![\w.])\d+(?![\w.])", code):
        value = int(match[0])
        for number in sorted({value - 1, value + 1, value * 2, value // 2} - {value, -1}):
            add("number", *match.span(), str(number))
    for match in re.finditer(r"^[ \t]*Flatten\b.*\n", code, re.MULTILINE):
        add("no Flatten", *match.span(), "")
    for match in re.finditer(
        r"^([ \t]*)([A-Z]\w*(?:\(.*\))?)[ \t]*\n\1([A-Z]\w*(?:\(.*\))?)[ \t]*$", code, re.MULTILINE
    ):
        if match[2] != match[3]:
            first, second = (text[slice(*match.span(group))] for group in (2, 3))
            add("swapped", match.start(2), match.end(3), f"{second}\n{match[1]}{first}")
    for match in re.finditer(r"\b[A-Z]\w{3,}|\b\w{4,}(?==)", code):
        add("misspelt", *match.span(), match[0][:-2] + match[0][-1])
    return found


def checked_through(path: Path, root: Path) -> Path:
    """The spec that a mutant is checked through: itself, or for a library the first one that imports it."""
    if path.parent.name != "blocks":
        return path
    for spec in sorted(root.glob("*.cnn"), key=lambda spec: spec.stat().st_size):
        if f'"blocks/{path.name}"' in spec.read_text(encoding="utf-8"):
            return spec
    return path


def run(mutant: Mutant, root: Path) -> Outcome | None:
    """Check a mutant; None where it is none."""
    changed = root / mutant.path.relative_to(SPECS)
    changed.write_text(mutant.text, encoding="utf-8")
    try:
        spec = checked_through(changed, root)
        sink = Sink()
        source = read_source(str(spec), sink, shown_as=str(spec))
        check(source, sink)
        if not sink.has_errors:
            return None
        sink = Sink()
        before = time.process_time()
        check(source, sink, fixes=True)
        seconds = time.process_time() - before
        found = [item for item in sink.diagnostics if item.severity == "error"]
        return judge(mutant, changed, spec, found, seconds)
    finally:
        changed.write_text(mutant.original, encoding="utf-8")


def judge(mutant: Mutant, changed: Path, spec: Path, found: list[Diagnostic], seconds: float) -> Outcome:
    spans = [found.span for found in found] + [label.span for item in found for label in item.labels]
    spans += [edit.span for item in found for fix in item.fixes for edit in fix.edits]
    lines = {at.line for at in spans if Path(at.source.path) == changed}
    near = {mutant.line} if mutant.kind == "number" or mutant.kind == "misspelt" else {mutant.line, mutant.line + 1}
    texts = [edited(fix.edits) for item in found for fix in item.fixes[:3]]
    restored = any(path == changed and same(text, mutant) for path, text in texts)
    fixed = any(checks(path, text, spec) for path, text in texts) or all_fixed(found, spec)
    return Outcome(mutant, found, bool(lines & near), fixed, restored, seconds)


def all_fixed(found: list[Diagnostic], spec: Path) -> bool:
    """Whether a spec with several errors checks when each is given its first fix."""
    fixes = [item.fixes[0] for item in found if item.fixes]
    edits = [edit for fix in fixes for edit in fix.edits]
    if len(fixes) < len(found) or len({edit.span.source.path for edit in edits}) != 1:
        return False
    try:
        path, text = edited(tuple(dict.fromkeys(edits)))
    except ValueError:
        return False
    return checks(path, text, spec)


def edited(edits: tuple[object, ...]) -> tuple[Path, str]:
    source: Source = edits[0].span.source  # type: ignore[attr-defined]
    return Path(source.path), apply(source.text, edits)  # type: ignore[arg-type]


def same(text: str, mutant: Mutant) -> bool:
    """Whether a fix gives the original back; a Flatten that is put in again has neither its name nor its annotation."""
    if mutant.kind != "no Flatten":
        return text == mutant.original
    return stripped(text) == stripped(mutant.original)


def stripped(text: str) -> str:
    return re.sub(r"Flatten\b[^\n]*", "Flatten", text)


def checks(path: Path, text: str, spec: Path) -> bool:
    """Whether a spec checks with the text of a fix in a file: one error less is not enough."""
    before = path.read_text(encoding="utf-8")
    path.write_text(text, encoding="utf-8")
    try:
        sink = Sink()
        check(read_source(str(spec), sink, shown_as=str(spec)), sink)
        return not sink.has_errors
    finally:
        path.write_text(before, encoding="utf-8")


def report(outcomes: list[Outcome]) -> None:
    for kind in ["all", *dict.fromkeys(outcome.mutant.kind for outcome in outcomes)]:
        chosen = [outcome for outcome in outcomes if kind in ("all", outcome.mutant.kind)]
        shares = (
            sum(outcome.shown for outcome in chosen),
            sum(outcome.fixed for outcome in chosen),
            sum(outcome.restored for outcome in chosen),
            sum(len(outcome.diagnostics) == 1 for outcome in chosen),
        )
        print(f"{kind}: {len(chosen)} mutants")
        for (what, goal), share in zip(GOALS.items(), shares):
            print(f"    {what:32} {100 * share / len(chosen):5.1f} %   (goal {goal} %)")
    times = sorted(outcome.seconds for outcome in outcomes)
    middle, late = times[len(times) // 2], times[len(times) * 99 // 100]
    shown = [f"{seconds * 1e3:.1f} ms" for seconds in (middle, late, times[-1])]
    print(f"time of a check with fixes: median {shown[0]}, 99 % within {shown[1]}, {shown[2]} at most")
    slowest = Counter[str]()
    for outcome in outcomes:
        slowest[outcome.mutant.path.name] = max(slowest[outcome.mutant.path.name], round(outcome.seconds * 1e3))
    print("slowest check of each spec in ms:", ", ".join(f"{name} {ms}" for name, ms in slowest.most_common()))


def show(outcomes: list[Outcome], count: int) -> None:
    """Mutants whose original was not found, for those who work on the search."""
    missed = [outcome for outcome in outcomes if not (outcome.restored and outcome.shown)]
    for outcome in random.Random(2).sample(missed, min(count, len(missed))):
        mutant = outcome.mutant
        changed = mutant.text.split("\n")[mutant.line - 1].strip()
        was = mutant.original.split("\n")[mutant.line - 1].strip()
        print(f"{mutant.path.name}:{mutant.line} [{mutant.kind}] {was}  =>  {changed}")
        print(f"    line shown: {outcome.shown}, {outcome.seconds * 1e3:.0f} ms")
        for item in outcome.diagnostics[:2]:
            print(f"    {item.code.id} line {item.span.line}: {item.message}")
            for fix in item.fixes:
                print(f"        {fix.message}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("specs", nargs="*", type=Path)
    parser.add_argument("--quick", action="store_true", help="a sample of 400 mutants")
    parser.add_argument("--seconds", type=float, default=1e9, help="stop after this time")
    parser.add_argument("--misses", type=int, default=0, help="show so many mutants whose original was not found")
    options = parser.parse_args()
    paths = [path.resolve() for path in options.specs] or sorted(SPECS.rglob("*.cnn"))
    every = [mutant for path in paths for mutant in mutants(path)]
    random.Random(1).shuffle(every)
    outcomes: list[Outcome] = []
    until = time.monotonic() + options.seconds
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve() / "specs"
        shutil.copytree(SPECS, root)
        for mutant in every:
            outcome = run(mutant, root)
            if outcome is not None:
                outcomes.append(outcome)
            if time.monotonic() > until or (options.quick and len(outcomes) >= 400):
                break
    report(outcomes)
    show(outcomes, options.misses)


if __name__ == "__main__":
    main()
