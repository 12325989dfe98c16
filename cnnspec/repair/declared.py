"""What a statement declares of a shape, set to what is there: in the words of its author, as far as one number is to blame."""

from __future__ import annotations

from functools import partial
from math import prod

from cnnspec.diagnostics import Edit
from cnnspec.diagnostics.suggestions import ANNOTATE, DECLARE
from cnnspec.repair.case import Candidate, Case
from cnnspec.repair.costs import COSTS
from cnnspec.syntax import tree
from cnnspec.syntax.walk import walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from cnnspec.repair.case import Option


def declarations(case: Case) -> Iterator[Option]:
    """The statement that the error contradicts, set to what arrives."""
    if case.found.code.id == "E303" and case.place is not None:
        yield from _no_size(case, case.place.statement)
        return
    node = declared(case)
    if node is None:
        return
    text = _as_found(case, node)
    if not text or text == node.span.text:
        return
    named = any(c.isalpha() for c in node.span.text.replace("_", ""))
    cost = COSTS["declare a name"] if named else COSTS["declare"]
    if case.found.code.id == "E203":
        cost = COSTS["declare a head"] if case.is_head else COSTS["stated here"]
    kind = ANNOTATE if case.found.code.id == "E202" else DECLARE
    edits = (Edit(node.span, text),)
    yield cost, partial(Candidate, cost, kind, {}, edits, id(node), case.places[case.at].statement, False)


def declared(case: Case) -> Any:
    """The expression that states what the error says is wrong."""
    if case.place is None or case.found.code.id not in ("E202", "E203", "E213"):
        return None
    statement = case.place.statement
    tail = getattr(statement, "tail", None)
    annotation = tail.annotation if tail is not None else None
    options = [one for one in walk(annotation) if isinstance(one, tree.Sequence)] if annotation is not None else []
    for argument in getattr(statement, "arguments", ()):
        options += [argument.value, argument.stated]
    return next((node for node in options if node is not None and node.span == case.found.span), None)


def _as_found(case: Case, node: Any) -> str:
    """What is there instead of what is declared, in the style of the declaration."""
    there = case.found.facts.get("found")
    if isinstance(node, tree.Sequence):
        there = there if isinstance(there, tuple) else case.arrives
        if there is None or not all(isinstance(size, int) for size in there):
            return ""
        if case.found.code.id == "E213":
            there = there[-len(node.items) :]
        said = case.found.facts.get("declared")
        same = isinstance(said, tuple) and len(there) == len(node.items) == len(said)
        texts = [str(size) for size in there]
        if same and isinstance(said, tuple):
            texts = [
                item.span.text if wanted in (size, None) else solved(item, wanted, size)
                for item, size, wanted in zip(node.items, there, said)
            ]
        return f"{node.span.text[0]}{', '.join(texts)}{node.span.text[-1]}"
    if case.found.code.id == "E213" and isinstance(there, tuple) and there:
        there = there[-1]
    if there.__class__ is not int:
        return ""
    return _as_product(case, node, there)


def _as_product(case: Case, node: Any, count: Any) -> str:
    """A width as the product of the sizes that Flatten joined, where the author wrote a product or a name."""
    before = next((one for one in case.nodes_before(case.places[case.at].statement) if len(one.input or ()) > 1), None)
    sizes = before.input if before is not None and before.title == "Flatten" else None
    if sizes is None or prod(sizes) != count:
        return str(count)
    if isinstance(node, tree.Chain) and set(node.operators) == {"*"}:
        between = " * " if " * " in node.span.text else "*"
        first = node.operands[0].span.text if case.found.facts.get("declared") == sizes[0] else str(sizes[0])
        return between.join([first, *map(str, sizes[1:])])
    if isinstance(node, tree.Name) and case.found.facts.get("declared") == sizes[0]:
        return "*".join([node.id, *map(str, sizes[1:])])
    return str(count)


def _no_size(case: Case, statement: tree.Statement) -> Iterator[Option]:
    """A size of an annotation that none can have, such as 0."""
    tail, node = getattr(statement, "tail", None), case.node(statement)
    said = tail.annotation if tail is not None else None
    there = node.output if node is not None else None
    if not isinstance(said, tree.Sequence) or there is None or len(said.items) != len(there):
        return
    for item, size in zip(said.items, there):
        if item.span == case.found.span and size.__class__ is int:
            edits = (Edit(item.span, str(size)),)
            cost = COSTS["stated here"]
            yield cost, partial(Candidate, cost, ANNOTATE, {}, edits, id(item), statement, False)


def solved(node: tree.Expression, value: Any, meant: int) -> str:
    """An expression with another number in it, that gives `meant` and not `value`; the number itself where none does."""
    found = _other_number(node, value, meant) if value.__class__ is int else None
    if found is None:
        return str(meant)
    literal, number = found
    text, start = node.span.text, literal.span.start - node.span.start
    return f"{text[:start]}{number}{text[start + len(literal.span.text) :]}"


def _other_number(node: tree.Expression, value: int, meant: int) -> tuple[tree.Literal, int] | None:
    match node:
        case tree.Literal() if node.value.__class__ is int:
            return node, meant
        case tree.Group():
            return _other_number(node.value, value, meant)
        case tree.Chain():
            operators = set(node.operators)
            if operators == {"*"}:
                return _in_product(node, value, meant)
            if operators <= {"+", "-"}:
                return _in_sum(node, value, meant)
            if node.operators == ("//",):
                return _in_quotient(node, value, meant)
    return None


def _in_product(node: tree.Chain, value: int, meant: int) -> tuple[tree.Literal, int] | None:
    for one in node.operands:
        if isinstance(one, tree.Literal) and isinstance(one.value, int) and value and one.value * meant % value == 0:
            return one, one.value * meant // value
    return None


def _in_quotient(node: tree.Chain, value: int, meant: int) -> tuple[tree.Literal, int] | None:
    divisor = node.operands[1]
    if not isinstance(divisor, tree.Literal) or not isinstance(divisor.value, int) or not meant:
        return None
    return divisor, max(1, round(divisor.value * value / meant))


def _in_sum(node: tree.Chain, value: int, meant: int) -> tuple[tree.Literal, int] | None:
    """A part of the sum that has no number in itself first: numbers are added where windows do it, which is rarely wrong."""
    signs = [1, *(1 if operator == "+" else -1 for operator in node.operators)]
    rest = value
    others = []
    for sign, one in zip(signs, node.operands):
        if isinstance(one, tree.Literal) and isinstance(one.value, int):
            rest -= sign * one.value
        else:
            others.append((sign, one))
    if len(others) == 1:
        sign, one = others[0]
        found = _other_number(one, sign * rest, sign * (rest + meant - value))
        if found is not None:
            return found
    for sign, one in zip(signs, node.operands):
        if isinstance(one, tree.Literal) and isinstance(one.value, int):
            number = one.value + sign * (meant - value)
            return (one, number) if number >= 0 else None
    return None
