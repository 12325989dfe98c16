"""The input of a module that nobody has named: tried shapes, the first that fits, and what is wrong with all of them."""

from __future__ import annotations

from cnnspec.diagnostics import Diagnostic
from cnnspec.record import record
from cnnspec.torch_source import inputs
from cnnspec.torch_source.project import File
from cnnspec.torch_source.values import Class, Function, Instance, Shape, lineage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Attempt = Callable[[tuple[Shape, ...]], "Tried"]

MOST = 40


@record
class Tried:
    """One attempt: whether all went well, its errors, and what the first layer would have wanted instead."""

    fits: bool
    errors: tuple[Diagnostic, ...]
    wanted: Shape | None


@record
class Fitting:
    """The shapes that fit; or None, with the errors that no shape avoids. `named` where the file itself names them."""

    shapes: tuple[Shape, ...] | None
    errors: tuple[Diagnostic, ...] = ()
    named: bool = False


def fit(module: Instance, file: File, attempt: Attempt, runs: tuple[Shape, ...] | None = None) -> Fitting:
    """Find an input for a module: what the file `runs` it on, one that the file names as numbers, else one that its layers
    leave open."""
    count = inputs_of(module)
    if runs is not None and len(runs) >= count:
        return Fitting(runs, named=True)
    told: Fitting | None = None
    for shapes in inputs.from_literals(file):
        given = shapes * count if len(shapes) == 1 else shapes
        tried = attempt(given)
        if tried.fits:
            return Fitting(given, named=True)
        if tried.wanted is None and told is None:
            told = Fitting(given, named=True)
    shapes_tried: list[Tried] = []
    open_shapes: Iterator[Shape] = inputs.candidates(module)
    followed: set[Shape] = set()
    for _ in range(MOST):
        shape = next(open_shapes, None)
        if shape is None:
            break
        tried = attempt((shape,) * count)
        if tried.fits:
            return Fitting((shape,) * count)
        if tried.wanted is not None and tried.wanted not in followed:
            followed.add(tried.wanted)
            open_shapes = inputs.as_wanted(tried.wanted)
            shapes_tried.clear()
        else:
            shapes_tried.append(tried)
    return told or Fitting(None, _in_all(shapes_tried))


def _in_all(attempts: list[Tried]) -> tuple[Diagnostic, ...]:
    """The errors that every attempt has, with the same numbers: no size of the input avoids them."""
    if len(attempts) < 4 or any(one.wanted is not None for one in attempts):
        return ()
    shared = {_key(found) for found in attempts[0].errors}
    for one in attempts[1:]:
        shared &= {_key(found) for found in one.errors}
    return tuple(found for found in attempts[0].errors if _key(found) in shared)


def _key(found: Diagnostic) -> tuple[str, int, str]:
    return found.code.id, found.span.start, found.message


def inputs_of(module: Instance) -> int:
    """How many tensors a module's forward can't do without."""
    forward = _forward_of(module)
    if forward is None:
        return 1
    spec = forward.node.args
    return min(max(len([*spec.posonlyargs, *spec.args]) - len(spec.defaults) - 1, 1), 4)


def input_names(module: Instance) -> list[str]:
    """The names that a module's forward gives its arguments."""
    forward = _forward_of(module)
    return [one.arg for one in (*forward.node.args.posonlyargs, *forward.node.args.args)][1:] if forward else []


def _forward_of(module: Instance) -> Function | None:
    for part in lineage(module.cls):
        forward = part.members.get("forward") if isinstance(part, Class) else None
        if isinstance(forward, Function):
            return forward
    return None
