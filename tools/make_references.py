"""Make `tests/references/`: parameters, settings and outputs of the networks of torchvision and timm that specs name.

    pip install torch==2.14.1 torchvision==0.29.1 timm==1.0.31    # in an environment of its own
    python tools/make_references.py [TEXT ...]                    # all, or those whose name holds a text

Weights, statistics and images come from a formula (`tests/torch/reference_values.py`), so that every version of torch has
the same. `tests/torch/test_references.py` fills the compiled specs with them in the same order. A case is one of
`tests/torch/reference_cases.py`.
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from tests.torch import reference_cases as cases  # noqa: E402
from tests.torch import reference_values as values  # noqa: E402


def reference(case: cases.Case) -> dict[str, Any]:
    """What is kept of a network."""
    net = case.build().double()
    found = case.entries(net)
    values.fill(found)
    image = values.noise((1, *case.image), -1)
    outputs, ran = values.outputs_and_settings(net, lambda: case.outputs(net, image))
    version = importlib.metadata.version(case.library)
    return {
        "reference": f"{case.entry} of {case.library} {version}",
        "parameters": sum(parameter.numel() for parameter in net.parameters()),
        "shapes": " ".join("x".join(map(str, value.shape)) for _, value in found),
        "settings": ran,
        "outputs": [[list(output.shape[1:]), *[float(f"{x:.12g}") for x in values.kept(output)]] for output in outputs],
    }


def write(found: dict[str, dict[str, Any]]) -> None:
    """One network a line, in the order of the cases."""
    for library in sorted({case.library for case in cases.CASES}):
        rows = {case.name: found[case.name] for case in cases.CASES if case.library == library and case.name in found}
        lines = [f"{json.dumps(name)}: {json.dumps(row)}" for name, row in rows.items()]
        text = "{\n" + ",\n".join(lines) + "\n}\n"
        (cases.FOLDER / f"{library}.json").write_text(text, encoding="utf-8")


def main(wanted: list[str]) -> None:
    found = cases.read()
    for case in cases.CASES:
        if not wanted or any(text in case.name for text in wanted):
            found[case.name] = reference(case)
            write(found)
            print(case.name, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
