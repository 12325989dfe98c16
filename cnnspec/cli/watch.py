"""`check --watch`: the same check again whenever a file that took part in it changes. Files are polled, so that nothing
beyond Python is needed; a folder of specs is tens of files."""

from __future__ import annotations

import os
import sys
from time import sleep

from cnnspec.diagnostics import Sink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cnnspec.cli.check import Check

PAUSE = 0.3
"""Seconds between two looks at the files."""

Signature = dict[str, tuple[int, int] | None]


def watch(begin: Callable[[], Check]) -> int:
    """Check, wait for a change, and begin again; Ctrl-C ends it with 0. Mistakes in the usage do not, once it runs."""
    check = begin()
    before: Signature | None = None
    try:
        while True:
            check, before = _next(begin, check, before)
            sleep(PAUSE)
    except KeyboardInterrupt:
        return 0


def _next(begin: Callable[[], Check], check: Check, before: Signature | None) -> tuple[Check, Signature | None]:
    """One look at the files: check them if anything is new."""
    from cnnspec.cli.main import UsageError

    try:
        check = begin()
        now = signature(watched([path for path, _ in check.files]) | check.configs.paths)
        if now != before:
            _clear()
            check.run()
            sys.stdout.flush()
    except UsageError as error:
        # An editor may be in the middle of replacing a file.
        now = {str(error): None}
        if now != before:
            print(f"cnnspec: {error}", file=sys.stderr)
    return check, now


def _clear() -> None:
    if sys.stdout.isatty():
        print("\x1b[2J\x1b[H", end="")


def watched(paths: Iterable[str]) -> set[str]:
    """The files and all that they import, as far as that can be read."""
    from cnnspec.syntax import tree
    from cnnspec.syntax.parser import parse
    from cnnspec.syntax.read import read_source

    found: set[str] = set()
    waiting = list(paths)
    while waiting:
        path = os.path.normpath(waiting.pop())
        if path in found:
            continue
        found.add(path)
        try:
            content = parse(read_source(path, Sink()), Sink())
        except (OSError, ValueError):
            continue
        for item in content.items:
            if isinstance(item, tree.Import) and isinstance(item.path, tree.Literal):
                text = str(item.path.value)
                if text.endswith(".cnn") and not os.path.isabs(text) and "\0" not in text:
                    waiting.append(os.path.join(os.path.dirname(path), text))
    return found


def signature(paths: Iterable[str]) -> Signature:
    """When each file was last written, and its size; None where there is none."""
    found: Signature = {}
    for path in paths:
        try:
            state = os.stat(path)
            found[path] = (state.st_mtime_ns, state.st_size)
        except OSError:
            found[path] = None
    return found
