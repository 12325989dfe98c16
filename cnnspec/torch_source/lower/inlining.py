"""Which runs of modules can be bodies of their own: the others are put into the body around them.

A body knows what it is called with and what is made in it. A run that reads a tensor it was not given, leaves one behind
that it does not return, or shares a module with a run elsewhere, becomes a part of the body around it.
"""

from __future__ import annotations

from cnnspec.torch_source.lower.shapes import batch_axis, tensors_in
from cnnspec.torch_source.trace import Run, Step

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from cnnspec.torch_source.values import Tensor

    Chain = tuple[Run, ...]

_ROUNDS = 30


def inlined(root: Run) -> Run:
    """The runs of a trace, where each can be a body of its own."""
    for _ in range(_ROUNDS):
        wrong = _wrong_runs(root) or _shared_elsewhere(root)
        if not wrong:
            return root
        root = _without(root, wrong)
    return _without(root, {id(run) for run, _ in _runs(root, ())} - {id(root)})


def _without(run: Run, wrong: set[int]) -> Run:
    """A run with the steps of some runs below it in their place."""
    made = Run(run.module, run.inputs, run.place)
    made.output = run.output
    for part in run.steps:
        if isinstance(part, Step):
            made.steps.append(part)
        else:
            below = _without(part, wrong)
            made.steps += below.steps if id(part) in wrong else [below]
    return made


def _runs(run: Run, chain: Chain) -> Iterator[tuple[Run, Chain]]:
    own = (*chain, run)
    yield run, own
    for part in run.steps:
        if isinstance(part, Run):
            yield from _runs(part, own)


def _wrong_runs(root: Run) -> set[int]:
    """Runs that read or leave tensors which do not go through their arguments and results."""
    made: dict[int, Chain] = {id(tensor): (root,) for tensor in tensors_in(root.inputs)}
    used: list[tuple[Tensor, Chain]] = []
    for run, chain in _runs(root, ()):
        used += [(tensor, chain) for tensor in tensors_in(run.output)]
        for part in run.steps:
            if isinstance(part, Step):
                used += [(tensor, chain) for tensor in tensors_in(part.inputs)]
                for tensor in tensors_in(part.output):
                    made.setdefault(id(tensor), chain)
    given = {id(run): {id(tensor) for tensor in tensors_in(run.inputs)} for run, _ in _runs(root, ())}
    returned = {id(run): {id(tensor) for tensor in tensors_in(run.output)} for run, _ in _runs(root, ())}
    wrong = {id(run) for run, chain in _runs(root, ()) if len(chain) > 1 and not _takes_batch(run)}
    for tensor, chain in used:
        source = made.get(id(tensor))
        if source is None:
            continue
        common = 0
        while common < min(len(source), len(chain)) and source[common] is chain[common]:
            common += 1
        wrong |= {id(run) for run in chain[common:] if id(tensor) not in given[id(run)]}
        wrong |= {id(run) for run in source[common:] if id(tensor) not in returned[id(run)]}
    return wrong - {id(root)}


def _takes_batch(run: Run) -> bool:
    return any(batch_axis(tensor.shape) is not None for tensor in tensors_in(run.inputs))


def _shared_elsewhere(root: Run) -> set[int]:
    """Runs around a module that runs in several bodies: they are taken away up to the body that all of them share."""
    seen: dict[int, Chain] = {}
    for run, chain in _runs(root, ()):
        for part in run.steps:
            module = part.module
            if module is None:
                continue
            before = seen.setdefault(id(module), chain)
            common = 0
            while common < min(len(before), len(chain)) and before[common].module is chain[common].module:
                common += 1
            wrong = {id(one) for one in (*before[common:], *chain[common:])}
            if wrong:
                return wrong
    return set()
