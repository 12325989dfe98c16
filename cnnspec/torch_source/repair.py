"""Ways out of findings in Python source: a number changed where it is written, or a flatten put in, each tried on a copy.

A fix is offered where a second check of the changed text no longer has the finding and has no new one. The one that leaves
the fewest errors comes first.
"""

from __future__ import annotations

import ast

from cnnspec.diagnostics import Diagnostic, Edit, Sink, Suggestion, codes, did_you_mean
from cnnspec.diagnostics.edits import apply
from cnnspec.diagnostics.suggestions import FLATTEN, Kind
from cnnspec.layers import Layer
from cnnspec.record import record
from cnnspec.source import Source, Span
from cnnspec.torch_source.findings import Cause, width_origin
from cnnspec.torch_source.layers import Made
from cnnspec.torch_source.script import Place
from cnnspec.torch_source.stops import Raised
from cnnspec.torch_source.values import BATCH, Class, Instance, Shape, Tensor, depends_on_batch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Check = Callable[[str], tuple[list[Diagnostic], dict[tuple[str, int], Cause]]]

TRIALS = 16
"""Checks of changed texts in one run."""
MOST = 3
NUMBER = Kind("number", "write `{new}` instead of `{old}` on line {line}")
DIMENSIONS = Kind("dimensions", "give it its height and width, `{text}` on line {line}")
ORDER = Kind("order", "write `{text}` on line {line}: the dimensions are the other way round")
TWO_NUMBERS = Kind("numbers", "write `{new}` instead of `{old}` on line {line}, and on line {other}")


@record
class Candidate:
    """A change to try: what is proposed, and its edits."""

    kind: Kind
    facts: dict[str, object]
    edits: tuple[Edit, ...]


def repair(source: Source, sink: Sink, causes: dict[tuple[str, int], Cause], check: Check, most: int = TRIALS) -> None:
    """Give the errors of a file the changes that remove them, of which `most` are tried."""
    errors = [found for found in sink.diagnostics if found.severity == "error"]
    before = {_key(found) for found in errors}
    trials = min(TRIALS, most)
    for found in errors:
        cause = causes.get((found.code.id, found.span.start))
        if cause is None or (found.span.source is not source and not _edits_of(source, cause)):
            continue
        ranked: list[tuple[int, int, int, Candidate]] = []
        for number, candidate in enumerate(_candidates(source, found, cause)):
            if trials <= 0:
                break
            trials -= 1
            left, candidate = _tried(source, found, candidate, before, check)
            if left is not None:
                ranked.append((left, _oddness(candidate), number, candidate))
        ranked.sort(key=lambda one: one[:3])
        stands_out = len(ranked) == 1 or (len(ranked) > 1 and ranked[0][:2] < ranked[1][:2])
        fixes = tuple(
            Suggestion(one.kind, one.facts, one.edits, leads=stands_out and not number)
            for number, (*_, one) in enumerate(ranked[:MOST])
        )
        if fixes:
            sink.replace(found.with_suggestions([*fixes, *found.suggestions]))


def _oddness(candidate: Candidate) -> int:
    """-1 where a change makes a number much rounder, 1 where it makes it much less round: widths are round mostly."""
    new, old = str(candidate.facts.get("new", "")), str(candidate.facts.get("value", ""))
    if not new.isdigit() or not old.isdigit():
        return 0
    gain = _twos(int(new)) - _twos(int(old))
    return -1 if gain >= 2 else 1 if gain <= -2 else 0


def _twos(number: int) -> int:
    """How often a number can be halved."""
    return (number & -number).bit_length() - 1 if number else 0


def _edits_of(source: Source, cause: Cause) -> bool:
    return cause.argument is not None and cause.argument.script.source is source


def _tried(
    source: Source, found: Diagnostic, candidate: Candidate, before: set[tuple[str, str]], check: Check
) -> tuple[int | None, Candidate]:
    """The number of errors that a change leaves; None where it is of no help."""
    after, causes = _check(source, candidate.edits, check)
    new = [one for one in after if _key(one) not in before]
    if len(new) == 1 and found.code is codes.VIEW_DIFFERS and new[0].code is codes.WRONG_WIDTH:
        second = _number_of(source, new[0], causes, candidate)
        if second is not None:
            facts = candidate.facts | {"other": second.span.line}
            candidate = Candidate(TWO_NUMBERS, facts, (*candidate.edits, second))
            after, _ = _check(source, candidate.edits, check)
            new = [one for one in after if _key(one) not in before]
    gone = _key(found) not in {_key(one) for one in after}
    return (len(after) if gone and not new else None), candidate


def _check(
    source: Source, edits: tuple[Edit, ...], check: Check
) -> tuple[list[Diagnostic], dict[tuple[str, int], Cause]]:
    try:
        found, causes = check(apply(source.text, edits))
    except ValueError:
        return [], {}
    return [one for one in found if one.severity == "error"], causes


def _number_of(
    source: Source, found: Diagnostic, causes: dict[tuple[str, int], Cause], candidate: Candidate
) -> Edit | None:
    """The edit that lets a layer declare what now arrives. Spans count in the changed text, whose lines are the same."""
    cause = causes.get((found.code.id, found.span.start))
    if cause is None or cause.argument is None or str(found.facts.get("declared")) != str(candidate.facts.get("value")):
        return None
    shift = sum(
        len(edit.text) - (edit.span.end - edit.span.start)
        for edit in candidate.edits
        if edit.span.start < cause.argument.span.start
    )
    span = cause.argument.span
    text = str(candidate.facts["new"]) if isinstance(cause.argument.node, ast.BinOp) else str(found.facts["found"])
    return Edit(Span(source, span.start - shift, span.end - shift), text)


def _key(found: Diagnostic) -> tuple[str, str]:
    return found.code.id, f"{found.message} {found.span.line}"


# --- what to try ---


def _candidates(source: Source, found: Diagnostic, cause: Cause) -> Iterator[Candidate]:
    yield from _laid_out(source, found, cause)
    if found.code is codes.WRONG_WIDTH:
        yield from _flattened(source, found, cause)
        yield from _consumer(source, found, cause)
        yield from _producer(source, found, cause)
    elif found.code is codes.VIEW_DIFFERS:
        yield from _view(source, cause)
    elif found.code in (codes.SHAPES_DIFFER, codes.JOIN_DIFFERS):
        yield from _filled(source, cause)
        yield from _producer(source, found, cause)
    elif found.code.id == codes.WRONG_RANK.id:
        yield from _other_rank(source, cause)


def _flattened(source: Source, found: Diagnostic, cause: Cause) -> Iterator[Candidate]:
    """A flatten in front of a linear layer, where it would give what is declared."""
    declared = found.facts.get("declared")
    x = cause.tensors[0] if cause.tensors else None
    if x is None or len(x.shape) < 3 or not isinstance(declared, int):
        return
    total = 1
    for size in x.shape[1:]:
        total *= size
    if total != declared:
        return
    made = cause.made
    facts: dict[str, object] = {"count": declared}
    if made is not None and made.script.source is source and cause.in_sequential:
        prefix = "nn." if made.span.text.startswith("nn.") else made.span.text.partition("Linear")[0]
        at = made.span
        yield Candidate(FLATTEN, facts, (Edit(_before(at), f"{prefix}Flatten(), "),))
    call = cause.call.node
    if isinstance(call, ast.Call) and len(call.args) == 1 and cause.call.script.source is source:
        argument = Place(cause.call.script, call.args[0]).span
        simple = isinstance(call.args[0], (ast.Name, ast.Attribute, ast.Call, ast.Subscript))
        text = argument.text if simple else f"({argument.text})"
        yield Candidate(FLATTEN, facts, (Edit(argument, f"{text}.flatten(1)"),))


def _before(span: Span) -> Span:
    return Span(span.source, span.start, span.start)


def _consumer(source: Source, found: Diagnostic, cause: Cause) -> Iterator[Candidate]:
    """The declared number becomes what arrives."""
    arriving, declared = str(found.facts.get("found")), found.facts.get("declared")
    if cause.argument is None:
        return
    if _is_literal(cause.argument.node):
        yield from _write(source, cause.argument, arriving, cause.flattened)
        return
    node = cause.argument.node
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.FloorDiv) and isinstance(node.right, ast.Constant):
        left = Place(cause.argument.script, node.left).span
        if cause.argument.script.source is source and arriving == str(int(str(node.right.value)) * int(str(declared))):
            at = cause.argument.span
            facts: dict[str, object] = {"new": left.text, "old": at.text, "line": at.line}
            yield Candidate(NUMBER, facts, (Edit(at, left.text),))
        return
    number = _only_factor(node)
    if number is None or not arriving.isdigit() or not isinstance(declared, int) or declared < 1:
        return
    scaled, rest = divmod(int(str(number.value)) * int(arriving), declared)
    if not rest:
        yield from _write(source, Place(cause.argument.script, number), str(scaled))


def _laid_out(source: Source, found: Diagnostic, cause: Cause) -> Iterator[Candidate]:
    """Another order of the dimensions, or two more of them: channels that are last, keys to compare with, gates of a map."""
    call, script = cause.call.node, cause.call.script
    if script.source is not source:
        return
    first, second = (one.shape if one is not None else () for one in [*cause.tensors[:2], None, None][:2])
    made = cause.instance.layer if cause.instance is not None else None
    convolves = isinstance(made, Made) and made.layer.rank == 1
    last = found.code is codes.WRONG_WIDTH and len(first) == 3 and first[2] == found.facts.get("declared")
    plain = isinstance(call, ast.Call) and len(call.args) == 1 and isinstance(call.args[0], ast.Name)
    if convolves and last and plain and isinstance(call, ast.Call):
        at, end = Place(script, call.args[0]).span, cause.call.span
        text = f"{source.text[end.start : at.end]}.transpose(1, 2){source.text[at.end : end.end]}"
        for back in ("", ".transpose(1, 2)"):
            yield Candidate(ORDER, {"text": text + back, "line": end.line}, (Edit(end, text + back),))
    if not isinstance(call, ast.BinOp):
        return
    left, right = (Place(script, node).span for node in (call.left, call.right))
    if isinstance(call.op, ast.MatMult) and isinstance(call.right, ast.Name) and first == second:
        text = f"{right.text}.transpose(-2, -1)"
        yield Candidate(ORDER, {"text": text, "line": right.line}, (Edit(right, text),))
    for short, long, span, node in ((first, second, left, call.left), (second, first, right, call.right)):
        if len(short) == 2 and short == long[:2] and len(long) > 2 and isinstance(node, ast.Name):
            text = f"{span.text}[:, :{', None' * (len(long) - 2)}]"
            yield Candidate(DIMENSIONS, {"text": text, "line": span.line}, (Edit(span, text),))


def _filled(source: Source, cause: Cause) -> Iterator[Candidate]:
    """A size of a tensor that is made of numbers, such as positions, becomes that of the other one."""
    for mine, other in (cause.tensors[:2], cause.tensors[1::-1]) if len(cause.tensors) > 1 else ():
        place = mine.made
        nodes = place.node.args if place is not None and isinstance(place.node, ast.Call) else []
        if len(nodes) == 1 and isinstance(nodes[0], (ast.Tuple, ast.List)):
            nodes = nodes[0].elts
        if place is None or len(nodes) != len(mine.shape) or len(nodes) != len(other.shape):
            continue
        for node, size, wanted in zip(nodes, mine.shape, other.shape):
            plain = _is_literal(node) and _value(node) == size and not depends_on_batch(wanted)
            if plain and size not in (1, wanted) and wanted != 1:
                yield from _write(source, Place(place.script, node), str(wanted))


def _other_rank(source: Source, cause: Cause) -> Iterator[Candidate]:
    """The layer of the rank that arrives; a vector that is to grow into an image gets its two dimensions."""
    x = cause.tensors[0] if cause.tensors else None
    made = cause.made.node if cause.made is not None else None
    if x is None or cause.made is None or not isinstance(made, ast.Call):
        return
    name = made.func.attr if isinstance(made.func, ast.Attribute) else getattr(made.func, "id", "")
    rank, call = len(x.shape) - 2, cause.call.node
    if rank == 0 and "Transpose" in name and isinstance(call, ast.Call) and len(call.args) == 1:
        at = Place(cause.call.script, call.args[0]).span
        if isinstance(call.args[0], ast.Name) and cause.call.script.source is source:
            text = f"{at.text}[:, :{', None' * int(name[-2])}]"
            yield Candidate(DIMENSIONS, {"text": text, "line": at.line}, (Edit(at, text),))
    other = f"{name[:-2]}{max(rank, 1)}d"
    layer = Layer.find(other)
    if layer is not None and other != name and cause.made.script.source is source:
        end = Place(cause.made.script, made.func).span.end
        facts: dict[str, object] = {"new": other, "old": name, "line": cause.made.span.line}
        yield Candidate(NUMBER, facts, (Edit(Span(source, end - len(name), end), other),))


def other_attributes(raised: Raised) -> tuple[Suggestion, ...]:
    """What a missing attribute of a module most likely is: one that the class never runs comes first."""
    place = raised.place
    if raised.lacks is None or place is None:
        return ()
    name, owner = raised.lacks
    node = next((n for n in ast.walk(place.node) if isinstance(n, ast.Attribute) and n.attr == name), None)
    written = owner.cls.node if isinstance(owner.cls, Class) else place.script.tree
    read = {n.attr for n in ast.walk(written) if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Load)}
    every = [key for key, _ in owner.modules()]
    idle = [key for key in every if key not in read]
    near = did_you_mean(name, idle) or did_you_mean(name, every)
    if node is None or not near:
        return near
    end = Place(place.script, node).span.end
    span = Span(place.script.source, end - len(name), end)
    return tuple(Suggestion(one.kind, one.facts, (Edit(span, str(one.facts["meant"])),)) for one in near[:1])


def _producer(source: Source, found: Diagnostic, cause: Cause) -> Iterator[Candidate]:
    """The layer that the input comes from gives what is declared."""
    wanted = found.facts.get("declared")
    for number, tensor in enumerate(cause.tensors[:2]):
        place = width_origin(tensor)
        maker = tensor.maker
        if found.code is not codes.WRONG_WIDTH:
            other = cause.tensors[1 - number] if len(cause.tensors) > 1 else None
            wanted = _channels(other)
        if not isinstance(maker, Instance) or not isinstance(maker.layer, Made) or not isinstance(wanted, int):
            continue
        if found.code is codes.WRONG_WIDTH:
            wanted = _wanted_of(maker.layer, found)
            if wanted is None:
                continue
        if place is None:
            continue
        factor, now = _only_factor(place.node), _width_of(maker.layer) or 0
        if factor is None:
            yield from _write(source, place, str(wanted))
        elif now and int(str(factor.value)) * wanted % now == 0:
            yield from _write(source, Place(place.script, factor), str(int(str(factor.value)) * wanted // now))


def _width_of(made: Made) -> int | None:
    """What a layer gives."""
    out = made.values.get("out_features", made.values.get("out_channels"))
    return out if isinstance(out, int) else None


def _wanted_of(made: Made, found: Diagnostic) -> int | None:
    """The width that a layer would have to give, where what arrives is a multiple of what it gives now."""
    out = _width_of(made)
    arriving, declared = str(found.facts.get("found")), found.facts.get("declared")
    if out is None or not arriving.isdigit() or not isinstance(declared, int) or int(arriving) % out:
        return None
    factor = int(arriving) // out
    return declared // factor if factor and declared % factor == 0 else None


def _channels(tensor: Tensor | None) -> int | None:
    if tensor is None or len(tensor.shape) < 2 or depends_on_batch(tensor.shape[1]):
        return None
    return tensor.shape[1]


def _write(source: Source, place: Place, new: str, sizes: Shape = ()) -> Iterator[Candidate]:
    """A number written in place of a literal, or of a product of literals: that as the product of `sizes`."""
    if place.script.source is not source or not _is_literal(place.node) or not new.isdigit():
        return
    old = place.span.text
    if isinstance(place.node, ast.BinOp) and len(sizes) > 1:
        new = " * ".join(map(str, sizes))
    facts: dict[str, object] = {"new": new, "old": old, "line": place.span.line, "value": _value(place.node)}
    yield Candidate(NUMBER, facts, (Edit(place.span, new),))


def _only_factor(node: ast.AST) -> ast.Constant | None:
    """The one number of a product of a number and names: 512 of `512 * block.expansion`, or of `int(512 * width)`."""
    leaves: list[ast.AST] = []
    waiting = [node]
    while waiting:
        part = waiting.pop()
        if isinstance(part, ast.BinOp):
            if not isinstance(part.op, ast.Mult):
                return None
            waiting += [part.left, part.right]
        elif isinstance(part, ast.Call) and getattr(part.func, "id", "") in ("int", "round") and len(part.args) == 1:
            waiting += part.args
        else:
            leaves.append(part)
    numbers = [part for part in leaves if isinstance(part, ast.Constant) and type(part.value) is int]
    return numbers[0] if len(numbers) == 1 and len(leaves) > 1 else None


def _is_literal(node: ast.AST) -> bool:
    if isinstance(node, ast.Constant):
        return type(node.value) is int
    if isinstance(node, ast.BinOp):
        return _is_literal(node.left) and _is_literal(node.right)
    return False


def _value(node: ast.AST) -> int | None:
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        left, right = _value(node.left), _value(node.right)
        return None if left is None or right is None else left * right
    return None


def _view(source: Source, cause: Cause) -> Iterator[Candidate]:
    """The one size of a view that is a number becomes what a sample holds."""
    call = cause.call.node
    x = cause.tensors[0] if cause.tensors else None
    if x is None or not isinstance(call, ast.Call) or cause.call.script.source is not source:
        return
    nodes = call.args
    if len(nodes) == 1 and isinstance(nodes[0], (ast.Tuple, ast.List)):
        nodes = nodes[0].elts
    numbers = [node for node in nodes if _is_literal(node)]
    total = 1
    for size in x.shape:
        total *= size
    if len(numbers) == 1 and total % BATCH == 0 and len(nodes) == 2:
        sizes = x.shape[1:] if x.shape[0] == BATCH else ()
        yield from _write(source, Place(cause.call.script, numbers[0]), str(total // BATCH), sizes)
