"""A comparison of two networks as text, as Markdown and as JSON."""

from __future__ import annotations

from itertools import groupby

from cnnspec.diff import BROKEN, LOAD, RENAMED, Change, Comparison, Figure, Module, Verdict, shape_of
from cnnspec.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

MOST = 40
"""The most rows of one kind that a text shows."""


# --- words ---


def verdict_words(verdict: Verdict) -> str:
    """What becomes of old checkpoints, in one sentence."""
    if verdict.kind == LOAD:
        return "old checkpoints load"
    if verdict.kind == RENAMED:
        return f"old checkpoints load with {_count(len(verdict.renamed), 'key')} renamed"
    counts = [
        (len(verdict.changed), "tensor", "of another shape"),
        (len(verdict.new), "tensor", "missing in them"),
        (len(verdict.gone), "tensor", "too many"),
        (len(verdict.doubts), "tensor", "doubtful"),
    ]
    return "old checkpoints do not load: " + ", ".join(f"{_count(n, what)} {words}" for n, what, words in counts if n)


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def is_shown(change: Change) -> bool:
    """Whether a change is one of the text: what merely has another shape because of an earlier one follows from that."""
    return change.before is None or change.after is None or bool(change.arguments)


def change_words(change: Change) -> str:
    """What changed in a layer."""
    if change.before is None or change.after is None:
        module = change.after or change.before
        assert module is not None
        return f"gives {shape_of(module.output)}"
    words = [f"{name} {before or 'none'} -> {after or 'none'}" for name, before, after in change.arguments]
    if change.before.output != change.after.output:
        words.append(f"gives {shape_of(change.before.output)} -> {shape_of(change.after.output)}")
    return ", ".join(words)


def _kind(change: Change) -> str:
    return "new" if change.before is None else "gone" if change.after is None else "changed"


def _module(change: Change) -> Module:
    found = change.after or change.before
    assert found is not None
    return found


def _difference(change: Change, name: str) -> int:
    """How a figure of a layer changed."""
    return int(getattr(change.after, name, 0) - getattr(change.before, name, 0))


def _figure(figure: Figure) -> str:
    if not isinstance(figure.before, int) or not isinstance(figure.after, int):
        return f"{figure.before} -> {figure.after}" if figure.changed else str(figure.before)
    if not figure.changed:
        return f"{figure.before:,}"
    share = f" ({(figure.after - figure.before) / figure.before:+.1%})" if figure.before else ""
    return f"{figure.before:,} -> {figure.after:,}{share}"


# --- text ---


def as_text(found: Comparison) -> str:
    """A comparison for a terminal."""
    title = found.before if found.before == found.after else f"{found.before} -> {found.after}"
    if found.same:
        return f"{title}: no difference"
    width = max(len(figure.name) for figure in found.figures)
    lines = [title, *[f"  {figure.name:{width}}  {_figure(figure)}" for figure in found.figures]]
    shown = list(filter(is_shown, found.changes))
    if shown:
        lines += ["", *_rows(shown)]
    follow = len(found.changes) - len(shown)
    if follow:
        lines.append(f"  {_count(follow, 'further layer')} with another shape because of these")
    return "\n".join([*lines, "", verdict_words(found.verdict), *_tensors(found.verdict)])


@record
class Row:
    """A line of the list of changes: one layer, or a module that is new or gone with all that is in it."""

    kind: str
    key: str
    title: str
    words: str
    parameters: int
    macs: int


def _rows_of(changes: Sequence[Change]) -> list[Row]:
    found = []
    for (kind, whole, _), same in groupby(changes, _group):
        several = list(same)
        first = several[0]
        if whole and len(several) > 1:
            last = _module(several[-1])
            key, title = whole, _count(len(several), "layer")
            words = f"gives {shape_of(last.output)}"
        else:
            key, title, words = _module(first).key, _module(first).title, change_words(first)
        figures = [sum(_difference(change, name) for change in several) for name in ("parameters", "macs")]
        found.append(Row(kind, key, title, words, figures[0], figures[1]))
    return found


def _group(change: Change) -> tuple[str, str, int]:
    """What changes that make one row have in common."""
    return _kind(change), change.whole, 0 if change.whole else id(change)


def _rows(changes: Sequence[Change]) -> list[str]:
    found = _rows_of(changes)
    shown = found[:MOST]
    wide = [max(len(text) for text in column) for column in zip(*[(row.kind, row.key, row.title) for row in shown])]
    lines = []
    for row in shown:
        parts = [
            f"{number:+,} {name}" for number, name in ((row.parameters, "parameters"), (row.macs, "MACs")) if number
        ]
        tail = f"  {', '.join(parts)}" if parts else ""
        lines.append(f"  {row.kind:{wide[0]}}  {row.key:{wide[1]}}  {row.title:{wide[2]}}  {row.words}{tail}")
    return lines + ([f"  and {len(found) - MOST} more"] if len(found) > MOST else [])


def _tensors(verdict: Verdict) -> list[str]:
    """What is said of tensors, those of one module in one line."""
    rows = [f"  {before} -> {after}" for before, after in verdict.renamed]
    rows += [f"  {key}  {list(before)} -> {list(after)}" for key, before, after in verdict.changed]
    rows += _of_modules(verdict.new, "missing in them")
    rows += _of_modules(verdict.gone, "too many")
    rows += [f"  {key}  {reason}" for key, reason in verdict.doubts]
    return rows[:MOST] + ([f"  and {len(rows) - MOST} more"] if len(rows) > MOST else [])


def _of_modules(tensors: Sequence[tuple[str, object]], words: str) -> list[str]:
    groups: dict[str, list[str]] = {}
    for key, _ in tensors:
        path, _, name = key.rpartition(".")
        groups.setdefault(path, []).append(name)
    return [f"  {path + '.' if path else ''}({', '.join(names)})  {words}" for path, names in groups.items()]


# --- Markdown ---


def as_markdown(found: Comparison) -> str:
    """A comparison for the summary of a pull request."""
    title = found.before if found.before == found.after else f"{found.before} → {found.after}"
    if found.same:
        return f"### {title}\n\nNo difference."
    sign = {LOAD: "✅", RENAMED: "⚠️", BROKEN: "❌"}[found.verdict.kind]
    lines = [f"### {title}", "", f"{sign} **{verdict_words(found.verdict)}**", ""]
    lines += ["| | before | after |", "| --- | --- | --- |"]
    for figure in found.figures:
        before, after = _number(figure.before), _number(figure.after)
        lines.append(f"| {figure.name} | {before} | {f'**{after}**' if figure.changed else after} |")
    shown = list(filter(is_shown, found.changes))
    if shown:
        lines += ["", "| | layer | | parameters | MACs |", "| --- | --- | --- | ---: | ---: |"]
    rows = _rows_of(shown)
    for row in rows[:MOST]:
        figures = [f"{number:+,}" if number else "" for number in (row.parameters, row.macs)]
        lines.append(f"| {row.kind} | `{row.key}` {row.title} | {_cell(row.words)} | {' | '.join(figures)} |")
    if len(rows) > MOST:
        lines += ["", f"and {len(rows) - MOST} more"]
    tensors = _tensors(found.verdict)
    if tensors:
        lines += [
            "",
            "<details><summary>Tensors</summary>",
            "",
            "```",
            *[row.strip() for row in tensors],
            "```",
            "",
            "</details>",
        ]
    return "\n".join(lines)


def _number(value: int | str) -> str:
    return f"{value:,}" if isinstance(value, int) else value


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


# --- JSON ---


def as_json(found: Comparison) -> dict[str, Any]:
    """A comparison as a JSON document, with all rows; `renamed` maps old keys to new ones."""
    verdict = found.verdict
    return {
        "before": found.before,
        "after": found.after,
        "same": found.same,
        "figures": {figure.name: {"before": figure.before, "after": figure.after} for figure in found.figures},
        "changes": [_change(change) for change in found.changes],
        "weights": {
            "verdict": verdict.kind,
            "renamed": dict(verdict.renamed),
            "changed": {key: {"before": list(one), "after": list(other)} for key, one, other in verdict.changed},
            "missing": {key: list(shape) for key, shape in verdict.new},
            "too_many": {key: list(shape) for key, shape in verdict.gone},
            "doubtful": dict(verdict.doubts),
        },
    }


def _change(change: Change) -> dict[str, Any]:
    arguments = {name: {"before": before, "after": after} for name, before, after in change.arguments}
    return {"kind": _kind(change), "before": _side(change.before), "after": _side(change.after), "arguments": arguments}


def _side(module: Module | None) -> dict[str, Any] | None:
    if module is None:
        return None
    figures = {"output": module.output, "parameters": module.parameters, "macs": module.macs}
    return {"key": module.key, "layer": module.title, **figures}
