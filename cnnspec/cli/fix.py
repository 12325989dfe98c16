"""`check --fix`, `--unsafe-fixes` and `--diff`: corrections that findings carry, written into the files or shown.

Safe fixes are applied all; with `--unsafe-fixes` also the first fix of every other finding that has one. Fixes that touch
the same characters wait for the next round, after which the files are checked again. `--diff` shows the first round.
"""

from __future__ import annotations

import sys

from cnnspec.cli.common import UsageError, diff, print_text, read_bytes, rewrite_spec
from cnnspec.diagnostics import Sink
from cnnspec.diagnostics.edits import Edit, apply
from cnnspec.diagnostics.render import clean
from cnnspec.record import record
from cnnspec.report import write
from cnnspec.report.findings import Report
from cnnspec.source import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.cli.session import Session
    from cnnspec.diagnostics import Diagnostic

ROUNDS = 10
"""Times that files are corrected and checked again: a fix may bring out the next mistake."""


@record
class Change:
    """A source, its text after the fixes, and how many there were."""

    source: Source
    text: str
    fixes: int


def fix(session: Session) -> int:
    """Correct the files of a run, report what remains, and give the exit code."""
    if any(path == "-" for path, _ in session.files):
        if len(session.files) > 1:
            raise UsageError("- can't be corrected together with files")
        return _fix_stdin(session)
    if session.options.diff:
        report = session.report()
        return _show(session, changes(report, unsafe=session.options.unsafe_fixes), report)
    fixed = 0
    report = session.report()
    for _ in range(ROUNDS):
        planned = changes(report, unsafe=session.options.unsafe_fixes)
        if not planned:
            break
        for change in planned:
            _write(change)
        fixed += sum(change.fixes for change in planned)
        report = session.report()
    _tell(fixed)
    session.write(report)
    if session.options.unsafe_fixes:
        _tell_left(report, unsafe=True)
    return session.exit_code(found=bool(report.diagnostics))


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
    """The edits that are to be made for a finding: those of a safe fix, or of a first one that stands out."""
    wanted = [one for one in found.fixes if one.sure] or [one for one in found.fixes[:1] if unsafe and one.leads]
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
    """Replace a file in one step; its byte order mark and line ends stay. Not where it has changed since it was read."""
    path = change.source.path
    data = read_bytes(path)
    mark = b"\xef\xbb\xbf" if data.startswith(b"\xef\xbb\xbf") else b""
    if data[len(mark) :] != change.source.text.encode():
        raise UsageError(f"{clean(path)} has changed since it was checked: nothing was written to it")
    rewrite_spec(path, mark + change.text.encode())


def _tell_left(report: Report, *, unsafe: bool) -> None:
    """Say of what is left how it could be fixed."""
    left = [found for found in report.diagnostics if not _chosen(found, unsafe=unsafe)]
    ready = sum(bool(_chosen(found, unsafe=True)) for found in left)
    several = sum(bool(found.fixes) for found in left) - ready
    if not left:
        return
    parts = [f"--unsafe-fixes corrects {ready}"] if ready else []
    parts += [f"{several} with fixes to choose from"] if several else []
    count = f"{len(left)} {'finding' if len(left) == 1 else 'findings'} left"
    print(f"{count}: {', '.join(parts)}" if parts else f"{count}, without a fix", file=sys.stderr)


def _show(session: Session, planned: list[Change], report: Report) -> int:
    """Print what would change, and what would be left; findings are not reported."""
    for change in planned:
        print_text(diff(change.source.path, change.source.text, change.text), end="")
    _tell_left(report, unsafe=session.options.unsafe_fixes)
    return session.exit_code(found=bool(planned) or bool(report.count("error")))


def _fix_stdin(session: Session) -> int:
    """The corrected text goes to the standard output, what remains to the standard error."""
    path, model = session.files[0]
    source = session.source(path, Sink())
    result = session.result(path, model)
    fixed = 0
    for _ in range(ROUNDS):
        planned = changes(Report((result,)), unsafe=session.options.unsafe_fixes)
        change = next((one for one in planned if one.source.path == source.path), None)
        if change is None:
            break
        if session.options.diff:
            return _show(session, [change], Report((result,)))
        fixed += change.fixes
        source = Source(source.path, change.text)
        result = session.result(path, model, source)
    if session.options.diff:
        return _show(session, [], Report((result,)))
    print_text(source.text, end="")
    _tell(fixed)
    print(write(Report((result,)), session.format, quiet=True), end="", file=sys.stderr)
    return session.exit_code(found=bool(result.diagnostics))
