"""Networks of people who asked in public, with what they were told: is the first fix the answer?

    python -m benchmarks.reports [--misses] [file ...]

The networks are those of `tests/reports`; the head of each says which edits count as the answer. `#= old => new` replaces the
first `old`, `#== old => new` all of them; `&` stands between edits that belong together, and every line is an answer.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from cnnspec.diagnostics import Diagnostic, Sink
from cnnspec.diagnostics.edits import apply
from cnnspec.diagnostics.render import render
from cnnspec.pipeline import check
from cnnspec.source import Source

REPORTS = Path(__file__).parent.parent / "tests" / "reports"


def answers(text: str) -> list[str]:
    """The texts that count as the answer."""
    found = []
    for line in text.split("\n"):
        mark, _, rest = line.partition(" ")
        if mark in ("#=", "#=="):
            head, _, body = text.partition("\nmodel") if "\nblock" not in text else text.partition("\nblock")
            word = text[len(head) : len(text) - len(body)]
            for edit in rest.split(" & "):
                old, _, new = (part.replace("\\n", "\n") for part in edit.partition(" => "))
                if old not in body:
                    raise ValueError(f"{old!r} is not in the network")
                body = body.replace(old, new) if mark == "#==" else body.replace(old, new, 1)
            found.append(head + word + body)
    return found


def offered(text: str, path: str) -> list[tuple[Diagnostic, list[str]]]:
    """The errors of a text, each with the texts that its fixes give."""
    sink = Sink()
    check(Source(path, text), sink, fixes=True)
    errors = [found for found in sink.diagnostics if found.severity == "error"]
    return [(found, [apply(text, fix.edits) for fix in found.fixes]) for found in errors]


def place_of(text: str, path: str) -> int | None:
    """Where the answer stands among the fixes, from 0; None where it does not."""
    right = {plain(answer) for answer in answers(text)}
    places = [number for _, fixes in offered(text, path) for number, fixed in enumerate(fixes) if plain(fixed) in right]
    return min(places, default=None)


def plain(text: str) -> str:
    """A text without the differences that say nothing."""
    return "".join(text.split())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--misses", action="store_true", help="show the findings whose first fix is not the answer")
    options = parser.parse_args()
    places: list[int | None] = []
    for path in options.files or sorted(REPORTS.glob("*.cnn")):
        text = path.read_text(encoding="utf-8")
        places.append(place_of(text, path.name))
        if places[-1] != 0 and options.misses:
            print(f"--- {path.name}: {places[-1]}")
            for found, _ in offered(text, path.name):
                print(render(found))
    count = len(places)
    print(f"{count} reports")
    for what, share in (("first", sum(p == 0 for p in places)), ("among three", sum(p is not None for p in places))):
        print(f"    the answer {what:12} {100 * share / count:5.1f} %")


if __name__ == "__main__":
    main()
