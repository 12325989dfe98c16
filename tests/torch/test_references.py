"""The specs against torchvision and timm: with the same weights and statistics, in the same order, they compute the same.

`tools/make_references.py` has written down what those libraries give. In the usual run some networks are compared, with
CNNSPEC_FULL=1 all; where torchvision or timm can be imported, what is written down is compared with them as well.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest
import torch

import cnnspec
from tests.sampling import FULL
from tests.torch.reference_cases import CASES, Case, read
from tests.torch.reference_values import entries, fill, kept, noise, outputs_and_settings

SPECS = Path(__file__).parent.parent.parent / "specs"
REFERENCES = read()

TOLERANCE = 1e-7
SMALL = 3_600_000


def smallest() -> list[Case]:
    """The smallest network of each family, or all."""
    by_size = sorted(CASES, key=lambda case: REFERENCES[case.name]["parameters"], reverse=True)
    return CASES if FULL else list({case.spec.partition(":")[0]: case for case in by_size}.values())


def quick() -> list[Case]:
    return [case for case in smallest() if FULL or REFERENCES[case.name]["parameters"] < SMALL]


def shapes(net: torch.nn.Module) -> list[str]:
    return ["x".join(map(str, value.shape)) for _, value in entries(net)]


@pytest.fixture(autouse=True)
def _one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("case", smallest(), ids=lambda case: case.name)
def test_shapes_are_those_of_the_reference(case: Case):
    net = cnnspec.load(SPECS / case.spec, **case.given).compile(device="meta")
    assert shapes(net) == REFERENCES[case.name]["shapes"].split()


def compare(case: Case, row: dict[str, Any]) -> None:
    net = cnnspec.load(SPECS / case.spec, **case.given).compile().double().eval()
    fill(entries(net))
    image = noise((1, *case.image), -1)
    found, ran = outputs_and_settings(net, lambda: net(image))
    assert ran == row["settings"]
    assert [list(output.shape[1:]) for output in found] == [expected[0] for expected in row["outputs"]]
    for output, (_, norm, *numbers) in zip(found, row["outputs"]):
        ours = kept(output)
        assert ours[0] == pytest.approx(norm, rel=TOLERANCE)
        assert ours[1:] == pytest.approx(numbers, rel=TOLERANCE, abs=TOLERANCE * norm / output.numel() ** 0.5)


@pytest.mark.parametrize("case", quick(), ids=lambda case: case.name)
def test_outputs_are_those_of_the_reference(case: Case):
    compare(case, REFERENCES[case.name])


@pytest.mark.parametrize("library", ["torchvision", "timm"])
def test_references_are_what_the_library_gives(library: str):
    """Live, where the library is: that what is written down is still so."""
    try:
        importlib.import_module(library)
    except (ImportError, RuntimeError) as error:
        pytest.skip(f"not run: {library} can't be imported beside this torch ({error})")
    from tools.make_references import reference

    for case in quick():
        if case.library == library:
            live, row = reference(case), REFERENCES[case.name]
            assert (live["shapes"], live["settings"]) == (row["shapes"], row["settings"]), case.name
            compare(case, live)


def test_references_are_small():
    assert sum(path.stat().st_size for path in (SPECS.parent / "tests" / "references").iterdir()) < 1_000_000
