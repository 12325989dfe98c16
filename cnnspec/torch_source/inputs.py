"""The shapes that a module is checked with: as the user says, as the file says, or as the module itself leaves open."""

from __future__ import annotations

import ast
import re

from cnnspec.diagnostics import Sink, codes
from cnnspec.source import Source, Span
from cnnspec.torch_source.layers import Made
from cnnspec.torch_source.special_modules import SpecialModule
from cnnspec.torch_source.values import Instance, Shape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from cnnspec.torch_source.project import File

_COMMENT = re.compile(r"#\s*cnnspec:\s*input\s+([^\n#]*)")
_LARGEST = 10**7
_FILLED = ("randn", "rand", "zeros", "ones", "empty")
"""Functions of torch that make a tensor of the sizes that they are given."""
SIDES = (224, 32, 28, 64, 128, 256, 96, 112, 48, 299, 227, 512, 160, 84, 100, 36, 40, 16, 8, 512, 321, 384)
"""Sizes of images to try, the usual ones first."""
LENGTHS = (1000, 128, 256, 3000, 187, 64, 100, 500, 2048, 4096, 8000, 16000, 5000, 1024, 300, 50, 512, 32, 16, 10)


def parse_shapes(text: str) -> tuple[Shape, ...] | None:
    """The shapes of `3x32x32,10`, without the batch; None where the text is none."""
    shapes: list[Shape] = []
    for part in text.split(","):
        sizes = part.strip().lower().split("x")
        if not all(size.isascii() and size.isdigit() and 0 < int(size) <= _LARGEST for size in sizes) or len(sizes) > 8:
            return None
        shapes.append(tuple(map(int, sizes)))
    return tuple(shapes)


def from_comment(source: Source, sink: Sink) -> tuple[Shape, ...] | None:
    """What `# cnnspec: input 3x32x32` says in the file."""
    match = _COMMENT.search(source.text)
    if match is None:
        return None
    shapes = parse_shapes(match[1].strip())
    if shapes is None:
        span = Span(source, match.start(1), match.end(1))
        sink.report(codes.BAD_INPUT_COMMENT, span, text=match[1].strip())
    return shapes


def from_runs(file: File, made: ast.expr, name: str) -> tuple[Shape, ...] | None:
    """The shapes that the file itself runs a module on: `net = Net()`, `x = torch.randn(1, 3, 32, 32)`, `net(x)`.

    `made` is the expression that makes the module, `name` the name it has at the top of the file, if that is where it is made.
    """
    makes = made.func.id if isinstance(made, ast.Call) and isinstance(made.func, ast.Name) else ""
    bodies = [file.script.tree.body]
    bodies += [part.body for part in ast.walk(file.script.tree) if isinstance(part, ast.FunctionDef)]
    for body in bodies:
        values: dict[str, Shape] = {}
        modules = {name} if body is file.script.tree.body else set()
        for statement in _straight(body):
            for call in ast.walk(statement):
                if not isinstance(call, ast.Call) or call.keywords or not call.args:
                    continue
                runs = isinstance(call.func, ast.Name) and call.func.id in modules
                runs = runs or (isinstance(call.func, ast.Call) and getattr(call.func.func, "id", "") == makes != "")
                given = [values.get(one.id) if isinstance(one, ast.Name) else _made(one) for one in call.args]
                if runs and None not in given:
                    return tuple(one for one in given if one is not None)
            if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
                target, value = statement.targets[0], statement.value
                if isinstance(target, ast.Name):
                    shape = _made(value)
                    values.pop(target.id, None)
                    modules.discard(target.id)
                    if shape is not None:
                        values[target.id] = shape
                    if isinstance(value, ast.Call) and getattr(value.func, "id", "") == makes != "":
                        modules.add(target.id)
                    if body is file.script.tree.body and value is made:
                        modules.add(target.id)
    return None


def _straight(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a body that run one after the other, those under an `if` or a `with` among them."""
    for statement in body:
        if isinstance(statement, (ast.If, ast.With)):
            yield from _straight(statement.body)
        elif not isinstance(statement, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef, ast.For, ast.While)):
            yield statement


def _made(node: ast.expr) -> Shape | None:
    """The shape, without the batch, of a tensor that is made there of numbers: `torch.randn(1, 3, 32, 32)`."""
    if not isinstance(node, ast.Call):
        return None
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name in ("to", "cuda", "float", "long") and isinstance(node.func, ast.Attribute):
        return _made(node.func.value)
    sizes = _literal(node.args) if name in _FILLED else None
    if name == "randint" and node.args and isinstance(node.args[-1], (ast.Tuple, ast.List)):
        sizes = _literal(node.args[-1:])
    return sizes[1:] if sizes is not None and len(sizes) > 1 else None


def from_literals(file: File) -> list[tuple[Shape, ...]]:
    """Shapes of the calls torch.randn(1, 3, 32, 32) or summary(model, (3, 32, 32)) that stand in the file, as numbers."""
    found: list[tuple[Shape, ...]] = []
    for part in ast.walk(file.script.tree):
        if not isinstance(part, ast.Call):
            continue
        name = part.func.attr if isinstance(part.func, ast.Attribute) else getattr(part.func, "id", "")
        sizes: Shape | None = None
        if name in _FILLED:
            sizes = _literal(part.args)
            sizes = sizes[1:] if sizes is not None and len(sizes) > 1 else None
        elif name == "summary" and len(part.args) > 1:
            sizes = _literal([part.args[1]])
        if name == "summary":
            given = next((keyword.value for keyword in part.keywords if keyword.arg == "input_size"), None)
            sizes = _literal([given]) if given is not None else sizes
            if sizes is not None and len(sizes) == 4:
                sizes = sizes[1:]
        if sizes and (sizes,) not in found:
            found.append((sizes,))
    return found


def _literal(nodes: list[ast.expr]) -> Shape | None:
    if len(nodes) == 1 and isinstance(nodes[0], (ast.Tuple, ast.List)):
        nodes = nodes[0].elts
    sizes = [node.value for node in nodes if isinstance(node, ast.Constant) and type(node.value) is int]
    fits = bool(sizes) and len(sizes) == len(nodes) and all(0 < size <= _LARGEST for size in sizes)
    return tuple(sizes) if fits else None


def candidates(module: Instance) -> Iterator[Shape]:
    """Shapes that a module may take, from the first of its layers that says something about its input."""
    for layer in _layers(module):
        made = layer.layer
        if isinstance(made, SpecialModule):
            if made.values:
                yield from _of_other(made)
                return
        elif isinstance(made, Made):
            kind = made.layer
            if "out_features" in kind.fields and made.width is not None:
                yield from as_wanted((made.width,))
                return
            if kind.rank and (made.width is not None or made.lazy):
                yield from _of_rank(kind.rank, made.width or 3)
                return
    yield from _of_rank(2, 3)


def as_wanted(wanted: Shape) -> Iterator[Shape]:
    """Shapes for a first layer that takes (rank, channels) or (features,)."""
    if len(wanted) == 1:
        yield wanted
        yield from ((length, wanted[0]) for length in (28, 10, 50, 100))
    else:
        yield from _of_rank(wanted[0], wanted[1])


def _of_rank(rank: int, channels: int) -> Iterator[Shape]:
    if rank == 1:
        yield from ((channels, length) for length in LENGTHS)
    elif rank == 2:
        yield from ((channels, side, side) for side in SIDES)
    else:
        yield from (
            (channels, depth, side, side)
            for depth, side in ((16, 112), (32, 32), (16, 64), (64, 64), (128, 128), (8, 8))
        )


def _of_other(made: SpecialModule) -> Iterator[Shape]:
    width = made.values.get("input_size", made.values.get("embed_dim", made.values.get("d_model")))
    if isinstance(width, int):
        yield from ((length, width) for length in (28, 10, 50, 100, 1))
        yield (width,)
    elif "num_embeddings" in made.values:
        yield from ((length,) for length in (50, 100, 10, 256))


def _layers(module: Instance) -> Iterator[Instance]:
    """The layers of torch below a module, in the order in which they were registered."""
    waiting: list[Instance] = [module]
    seen: set[int] = set()
    while waiting:
        part = waiting.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        if part.layer is not None:
            yield part
        waiting.extend(reversed([child for _, child in part.modules()]))
