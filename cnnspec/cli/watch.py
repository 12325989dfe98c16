"""`check --watch`: the same check again whenever a file that took part in it changes.

Files are polled, so that nothing beyond Python is needed. A look that finds nothing new is a `stat` of each file and folder;
a file is parsed for its imports only when it is new.
"""

from __future__ import annotations

import os
import sys
from time import sleep

from cnnspec.cli.common import OK, complain
from cnnspec.diagnostics import Sink
from cnnspec.errors import UsageError
from cnnspec.files import folders_below

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cnnspec.cli.session import Session

    Signature = tuple[int, int, int] | None
    """When a file was last written, its size and its number; None where there is none."""

PAUSE = 0.3
"""Seconds between two looks at the files."""


def watch(begin: Callable[[], Session]) -> int:
    """Check, wait for a change, and begin again; Ctrl-C ends it with 0. Mistakes in the usage do not, once it runs."""
    import gc

    gc.enable()
    session = begin()
    if not session.files:
        raise UsageError("\n".join(session.problems))
    watching = Watch(begin)
    try:
        while True:
            watching.look()
            sleep(PAUSE)
    except KeyboardInterrupt:
        return OK


class Watch:
    """What was seen at the last look, and what the last check was made of."""

    def __init__(self, begin: Callable[[], Session]) -> None:
        self._begin = begin
        self._imports: dict[str, tuple[Signature, list[str]]] = {}
        self._seen: dict[str, Signature] = {}
        self._checked: dict[str, Signature] = {}
        self._told = ""

    def look(self) -> None:
        """Check if anything is new."""
        if self._seen and signatures(self._seen) == self._seen:
            return
        try:
            session = self._begin()
            for path, _ in session.files:
                session.config(path)
        except UsageError as error:
            # An editor may be in the middle of replacing a file.
            self._seen = self._checked = {}
            if str(error) != self._told:
                self._told = str(error)
                complain(error)
            return
        files = signatures(session.configs.paths) | self.watched([path for path, _ in session.files])
        folders = {folder for path in session.options.paths for folder in folders_below(path)}
        self._seen = signatures(session.configs.places | folders) | files
        if files != self._checked or session.problems != ([self._told] if self._told else []):
            self._told = session.problems[0] if session.problems else ""
            self._checked = files
            _clear()
            session.run()
            sys.stdout.flush()

    def watched(self, paths: Iterable[str]) -> dict[str, Signature]:
        """The files and all that they import, as far as that can be read."""
        found: dict[str, Signature] = {}
        waiting = list(paths)
        while waiting:
            path = os.path.normpath(waiting.pop())
            if path in found:
                continue
            # Before it is read: what is written meanwhile is seen at the next look.
            found[path] = signature(path)
            known, imports = self._imports.get(path, (None, []))
            if known is None or known != found[path]:
                imports = imports_of(path)
                self._imports[path] = (found[path], imports)
            waiting += imports
        return found


def imports_of(path: str) -> list[str]:
    """The paths that a file imports, none where it can't be read."""
    from cnnspec.syntax import tree
    from cnnspec.syntax.parser import parse
    from cnnspec.syntax.read import read_source

    try:
        content = parse(read_source(path, Sink()), Sink())
    except (OSError, ValueError):
        return []
    found = []
    for item in content.items:
        if isinstance(item, tree.Import) and isinstance(item.path, tree.Literal):
            text = str(item.path.value)
            if text.endswith(".cnn") and not os.path.isabs(text) and "\0" not in text:
                found.append(os.path.join(os.path.dirname(path), text))
    return found


def signature(path: str) -> Signature:
    """What changes when a file does."""
    try:
        state = os.stat(path)
    except (OSError, ValueError):
        return None
    return state.st_mtime_ns, state.st_size, state.st_ino


def signatures(paths: Iterable[str]) -> dict[str, Signature]:
    return {path: signature(path) for path in paths}


def _clear() -> None:
    if sys.stdout.isatty():
        print("\x1b[2J\x1b[H", end="")
