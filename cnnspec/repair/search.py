"""Fixes for errors: the edits after which a spec checks, found by trying them, within a number of trials.

Every edit that is offered has been tried, on the tree and again on the edited text: it removes its own error and adds
none. First come the situations that people are in (`situations/`), then single edits by how likely they are what the author
meant (`candidates.py`, `ranking.py`). Nothing looks at a clock: the same text has the same fixes on every machine.
"""

from __future__ import annotations

from cnnspec.diagnostics import Diagnostic, Edit, Sink, Suggestion
from cnnspec.diagnostics.edits import apply
from cnnspec.diagnostics.suggestions import ANNOTATE, DECLARE, OPTION, RENAME, SPELLING
from cnnspec.graph.nodes import Graph, StackNode
from cnnspec.graph.walk import walk
from cnnspec.limits import LIMITS
from cnnspec.record import record
from cnnspec.repair import situations
from cnnspec.repair.candidates import candidates
from cnnspec.repair.case import Candidate, Case, in_front
from cnnspec.repair.costs import COSTS
from cnnspec.repair.declared import declarations
from cnnspec.repair.spelling import spellings
from cnnspec.repair.trials import Result, Trials, key_of
from cnnspec.source import Span
from cnnspec.syntax import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cnnspec.compiler.project import File
    from cnnspec.repair.trials import Again

OFFERED = 3
_BEHIND, _BEHIND_KNOWN = 0.75, 1.3
"""How much less likely than the best one an edit may be that is still tried, and a way out of a known situation."""
_UNLIKELY, _BESIDES = 1.3, 0.3
"""What an edit costs that nobody meant. Of the edits that `benchmarks/repair.py` undoes, none costs more than 0.9, and 99 in
100 are within 0.65 of the best; they are found with 45 trials and within 2,850 layers. Less where a condition on the sizes of
the input would do."""
_LEADS = 0.45
"""How much likelier than the second one the first has to be to stand out."""
_ANSWERS = 2
"""How many fixes may be answers to one question, such as numbers in one place."""
_SEARCHED = {
    "E112",
    "E127",
    "E113",
    "E114",
    "E115",
    "E116",
    "E137",
    "E303",
    "E304",
    "E306",
    "E417",
    "E503",
    "E504",
    "E505",
}
_SITUATIONS = {"E117", "E133", "E419"}
"""Errors that no single edit is tried for: the situations alone."""
_NOT_SEARCHED = {"E216", "E219", "E220", "E221", "E222"}


def repair(file: File, chosen: list[tree.Model], graphs: Sequence[Graph], again: Again, sink: Sink) -> None:
    """Give the errors of `sink` their fixes. `again` checks models of a file anew, as a first check does."""
    errors = [found for found in sink.diagnostics if found.severity == "error"]
    trials = Trials(file, chosen, graphs, again, errors)
    seen: set[object] = set()
    firsts: set[object] = set()
    mended: list[tuple[list[tree.Model], frozenset[object]]] = []
    for found in errors[: LIMITS.repaired]:
        case = Case(found, trials, graphs)
        follows = found.code.id.startswith("E2")
        if follows and any(case.models == models and key_of(found) not in left for models, left in mended):
            # It follows from an error before it: what mends that one mends it.
            sink.discard(found)
            continue
        fixes = spellings(found, case)
        if not fixes and (found.code.id in _SITUATIONS or _is_searched(found.code.id)):
            fixes = search(case)
        # One fix that mends several errors is offered at the first of them.
        fixes = [fix for fix in fixes if (len(fix.edits) < 2 and fix.kind is not RENAME) or _key(fix.edits) not in seen]
        seen |= {_key(fix.edits) for fix in fixes}
        if not fixes:
            continue
        first = _key(fixes[0].edits)
        if first in firsts and fixes[0].kind not in (SPELLING, OPTION, RENAME):
            # The same mistake, further on.
            sink.discard(found)
            continue
        firsts.add(first)
        if case.left is not None:
            mended.append((case.models, case.left))
        sink.replace(_with(found, fixes))


def _is_searched(code: str) -> bool:
    return (code.startswith("E2") and code not in _NOT_SEARCHED) or code in _SEARCHED


def _with(found: Diagnostic, fixes: Sequence[Suggestion]) -> Diagnostic:
    """A finding with fixes, and what else was suggested: no advice that a fix carries out, no more than is offered."""
    given = {_key(fix.edits) for fix in fixes}
    own = [fix for fix in found.fixes if _key(fix.edits) not in given]
    # Where it holds for a few sizes alone, it is hardly they that were meant.
    first = [fix for fix in own if _is_plain(fix)]
    fixes = (*first, *fixes, *(fix for fix in own if fix not in first))[:OFFERED]
    carried = {fix.kind.id for fix in fixes} | {fix.message for fix in fixes}
    rest = [
        one for one in found.suggestions if not one.edits and one.kind.id not in carried and one.message not in carried
    ]
    return found.with_suggestions((*fixes, *rest))


def _is_plain(fix: Suggestion) -> bool:
    """Whether a fix is a condition on the sizes of the input that is no list of a few of them."""
    return fix.kind.id == "narrow" and " or " not in fix.message


@record
class _Passing:
    """An edit with which the spec checks; what it makes the spec warn of adds to its cost."""

    cost: float
    candidate: Candidate
    result: Result


def search(case: Case) -> list[Suggestion]:
    """The best fixes of one error. One that the check has found fixes for itself is looked at for situations alone."""
    # Where it would hold for some sizes of the input, too, they need not be what was meant.
    narrow = all(fix.kind.id == "narrow" for fix in case.found.fixes)
    alone = (bool(case.found.fixes) and not narrow) or case.found.code.id in _SITUATIONS
    known = [(cost, True, make) for cost, make in situations.of(case)]
    most = _BESIDES if any(_is_plain(fix) for fix in case.found.fixes) else _UNLIKELY
    others = [] if alone else [(cost, False, make) for cost, make in candidates(case) if cost < most]
    passing: list[_Passing] = []
    answers: dict[object, int] = {}
    tried: set[object] = set()
    # To declare what is there is tried in any case, whatever else uses up the trials.
    for _, make in declarations(case) if case.found.code.id not in _SITUATIONS else ():
        candidate = make()
        if candidate is not None:
            tried.add(_key(candidate.edits))
            found = _attempt(case, candidate)
            passing += [found] if found is not None else []
    left, end = LIMITS.repair_trials, case.trials.work + LIMITS.repair_layers
    for cost, is_known, make in sorted([*known, *others], key=lambda option: option[0]):
        best = min((one.cost for one in passing), default=cost)
        if sum(one.cost <= cost for one in passing) >= OFFERED or left <= 0 or case.trials.work > end:
            break
        if case.trials.is_spent or cost > max(best, 0.0) + _BEHIND_KNOWN:
            break
        if not is_known and cost > max(best, 0.0) + _BEHIND:
            continue
        candidate = make()
        if candidate is None:
            continue
        if _key(candidate.edits) in tried or answers.get(candidate.key, 0) == _ANSWERS:
            continue
        tried.add(_key(candidate.edits))
        left -= 1
        found = _attempt(case, candidate)
        if found is not None:
            answers[candidate.key] = answers.get(candidate.key, 0) + 1
            passing.append(found)
    if passing:
        case.left = min(passing, key=lambda one: one.cost).result.left
    return _in_order(passing)


def _attempt(case: Case, candidate: Candidate) -> _Passing | None:
    """Try an edit; where it brings out that a Flatten is missing, together with that."""
    result = case.attempt(candidate.edits)
    if candidate.goes_on and result is not None and result.failed is not None:
        for more, also in _further(case, result.failed):
            edits = (*candidate.edits, more)
            again = case.attempt(edits)
            if again is not None and again.failed is None:
                facts = {**candidate.facts, "also": also}
                wider = Candidate(candidate.cost, candidate.kind, facts, edits, candidate.key)
                return _Passing(_cost(candidate, again), wider, again)
    if result is None or result.failed is not None:
        return None
    return _Passing(_cost(candidate, result), candidate, result)


def _cost(candidate: Candidate, result: Result) -> float:
    return candidate.cost + COSTS["warning"] * min(result.warnings, 3)


def _further(case: Case, failed: Diagnostic) -> Iterator[tuple[Edit, str]]:
    """What may be to do besides: the Flatten that is missing in front of a Linear, or the width that arrives there then."""
    place = next((one for one in case.places if one.statement.span.holds(failed.span)), None)
    if failed.code.id != "E203" or place is None or not isinstance(place.statement, tree.Layer):
        return
    if place.statement.name.id == "Linear":
        yield in_front(place, "Flatten"), ", and put `Flatten` in front of `Linear`"
        there = failed.facts.get("found")
        if isinstance(there, int):
            yield Edit(failed.span, str(there)), f", and `Linear` on {case.line(failed.span)} takes {there}"


def _in_order(passing: list[_Passing]) -> list[Suggestion]:
    """The best fixes; to declare what is there is always one of the first two."""
    ordered = sorted(passing, key=lambda one: one.cost)
    declared = next((one for one in ordered if one.candidate.kind in (DECLARE, ANNOTATE)), None)
    if declared is not None and ordered.index(declared) > 1:
        ordered.remove(declared)
        ordered.insert(1, declared)
    best = ordered[:OFFERED]
    fixes = []
    for number, one in enumerate(best):
        gap = best[1].cost - one.cost if len(best) > 1 else _LEADS
        fixes.append(_suggestion(one, leads=number == 0 and gap >= _LEADS))
    return fixes


def _suggestion(found: _Passing, *, leads: bool) -> Suggestion:
    """What is offered: the facts, the statement as it is then, and what it gives."""
    candidate = found.candidate
    facts = {"also": "", **candidate.facts}
    if then := _then(candidate):
        facts["then"] = then
        shapes = {
            node.output
            for graph in found.result.graphs
            for _, node in walk(graph.root)
            if not isinstance(node, StackNode)
            and node.span.source is not candidate.edits[0].span.source
            and " ".join(node.span.text.split()) == then
        }
        shape = shapes.pop() if len(shapes) == 1 else None
        if shape is not None and candidate.gives:
            facts["gives"] = shape
    return Suggestion(candidate.kind, facts, candidate.edits, candidate.sure, leads or candidate.sure)


def _then(candidate: Candidate) -> str:
    """What an edit changes, as it is then, on one line: a layer, an annotation or an input; "" for anything larger."""
    statement = candidate.shown
    if statement is None or isinstance(statement, (tree.For, tree.If, tree.Repeat)):
        return ""
    head = getattr(statement, "head", None) or statement.span
    tail = getattr(statement, "tail", None)
    arrow = ""
    if tail is not None and tail.annotation is not None and _all_in(candidate.edits, tail.annotation.span):
        head, arrow = tail.annotation.span, "-> "
    if not _all_in(candidate.edits, head):
        return ""
    moved = [
        Edit(Span(edit.span.source, edit.span.start - head.start, edit.span.end - head.start), edit.text)
        for edit in candidate.edits
    ]
    text = arrow + " ".join(apply(head.text, moved).split())
    return text if len(text) <= 120 else ""


def _all_in(edits: tuple[Edit, ...], span: Span) -> bool:
    return all(
        edit.span.source is span.source and span.start <= edit.span.start and edit.span.end <= span.end
        for edit in edits
    )


def _key(edits: tuple[Edit, ...]) -> object:
    """What edits change, however much around it they write anew: equal for edits that give the same text."""
    return tuple(sorted(_core(edit) for edit in edits))


def _core(edit: Edit) -> tuple[str, int, int, str]:
    old, new, start, end = edit.span.text, edit.text, edit.span.start, edit.span.end
    front = _alike(old, new)
    old, new = old[front:], new[front:]
    back = _alike(old[::-1], new[::-1])
    return edit.span.source.path, start + front, end - back, new[: len(new) - back]


def _alike(one: str, other: str) -> int:
    """With how many equal characters two texts, which may be very long, begin."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
