"""`check --fix`, `--unsafe-fixes` and `--diff`: corrections that findings carry, written into the files or shown.

Safe fixes are applied all; with `--unsafe-fixes` also the first fix of every other finding that has one. Fixes that touch
the same characters wait for the next round, after which the files are checked again. `--diff` shows the first round.
"""

from __future__ import annotations

import os
import sys

from cnnspec.diagnostics import Sink
from cnnspec.diagnostics.edits import Edit, apply
from cnnspec.diagnostics.render import clean
from cnnspec.record import record
from cnnspec.report import Report
from cnnspec.source import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.cli.check import Check
    from cnnspec.diagnostics import Diagnostic

ROUNDS = 10
"""Times that files are corrected and checked again: a fix may bring out the next mistake."""


@record
class Change:
    """A source, its text after the fixes, and how many there were."""

    source: Source
    text: str
    fixes: int


def fix(check: Check) -> int:
    """Correct the files of a run, report what remains, and give the exit code."""
    from cnnspec.cli.main import FINDINGS, OK, UsageError

    if any(path == "-" for path, _ in check.files):
        if len(check.files) > 1:
            raise UsageError("- can't be corrected together with files")
        return _fix_stdin(check)
    if check.options.diff:
        return _show(check, changes(check.report(), unsafe=check.options.unsafe_fixes))
    fixed = 0
    report = check.report()
    for _ in range(ROUNDS):
        planned = changes(report, unsafe=check.options.unsafe_fixes)
        if not planned:
            break
        for change in planned:
            _write(change)
        fixed += sum(change.fixes for change in planned)
        report = check.report()
    _tell(fixed)
    check.write(report)
    return FINDINGS if report.diagnostics and not check.options.exit_zero else OK


def changes(report: Report, *, unsafe: bool) -> list[Change]:
    """What one round of fixes makes of every source, in the order of the findings."""
    taken: dict[str, list[Edit]] = {}
    sources: dict[str, Source] = {}
    counts: dict[str, int] = {}
    for found in report.diagnostics:
        edits = _chosen(found, unsafe=unsafe)
        if not edits:
            continue
        source = edits[0].span.source
        merged = [*taken.get(source.path, []), *edits]
        if sources.setdefault(source.path, source).text != source.text or not _fit(source, merged):
            continue
        taken[source.path] = merged
        counts[source.path] = counts.get(source.path, 0) + 1
    return [Change(sources[path], apply(sources[path].text, edits), counts[path]) for path, edits in taken.items()]


def _chosen(found: Diagnostic, *, unsafe: bool) -> tuple[Edit, ...]:
    """The edits that are to be made for a finding: those of its safe fix, or of its first one."""
    wanted = [one for one in found.fixes if one.sure] or (list(found.fixes) if unsafe else [])
    return wanted[0].edits if wanted else ()


def _fit(source: Source, edits: list[Edit]) -> bool:
    try:
        apply(source.text, edits)
    except ValueError:
        return False
    return True


def _tell(fixed: int) -> None:
    if fixed:
        print(f"{fixed} {'finding' if fixed == 1 else 'findings'} fixed", file=sys.stderr)


def _write(change: Change) -> None:
    """Replace a file in one step; its byte order mark, line ends and permissions stay."""
    from pathlib import Path

    from cnnspec.cli.main import UsageError
    from cnnspec.files import write_atomic

    shown = clean(change.source.path)
    path = Path(os.path.realpath(change.source.path))
    try:
        data = path.read_bytes()
        mark = b"\xef\xbb\xbf" if data.startswith(b"\xef\xbb\xbf") else b""
        if data[len(mark) :] != change.source.text.encode():
            raise UsageError(f"{shown} has changed since it was checked: nothing was written to it")
        mode = path.stat().st_mode & 0o777
        write_atomic(path, mark + change.text.encode())
        path.chmod(mode)
    except OSError as error:
        raise UsageError(f"can't write {shown}: {(error.strerror or str(error)).lower()}") from None


def _show(check: Check, planned: list[Change]) -> int:
    """Print what would change; findings are not reported."""
    from cnnspec.cli.main import FINDINGS, OK, print_text

    for change in planned:
        print_text(diff(change), end="")
    return FINDINGS if planned and not check.options.exit_zero else OK


def diff(change: Change) -> str:
    """A unified diff, which `patch -p1` applies. On a terminal no character of the file acts on it."""
    from difflib import unified_diff

    path = change.source.path.replace(os.sep, "/").lstrip("/")
    old, new = (_lines(text) for text in (change.source.text, change.text))
    lines = list(unified_diff(old, new, clean(f"a/{path}"), clean(f"b/{path}")))
    if sys.stdout.isatty():
        lines = [clean(line.rstrip("\r\n")) + "\n" for line in lines]
    return "".join(line if line.endswith("\n") else line + "\n\\ No newline at end of file\n" for line in lines)


def _lines(text: str) -> list[str]:
    parts = text.split("\n")
    return [part + "\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


def _fix_stdin(check: Check) -> int:
    """The corrected text goes to the standard output, what remains to the standard error."""
    from cnnspec.cli.main import FINDINGS, OK, print_text
    from cnnspec.report import write

    path, model = check.files[0]
    source = check.source(path, Sink())
    result = check.result(path, model)
    fixed = 0
    for _ in range(ROUNDS):
        planned = changes(Report((result,)), unsafe=check.options.unsafe_fixes)
        change = next((one for one in planned if one.source.path == source.path), None)
        if change is None:
            break
        if check.options.diff:
            return _show(check, [change])
        fixed += change.fixes
        source = Source(source.path, change.text)
        result = check.result(path, model, source)
    if check.options.diff:
        return OK
    print_text(source.text, end="")
    _tell(fixed)
    print(write(Report((result,)), check.format, quiet=True), end="", file=sys.stderr)
    return FINDINGS if result.diagnostics and not check.options.exit_zero else OK
