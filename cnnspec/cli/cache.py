"""Files that had no findings are remembered: as long as nothing has changed that counts, their verdict is printed again.

An entry holds what a verdict depends on: the version of cnnspec, the settings that hold, and the content of the file and of
what it imports. It lies under the path of its file in the cache folder of the platform, or in `$CNNSPEC_CACHE_DIR`. All of it
may be deleted, and an entry that can't be read is none. Nothing but text is read from it.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cnnspec.source import Source

LARGEST = 1 << 18
"""Bytes of a file and of what it imports that are remembered at most."""
_SETTINGS = ("cnnspec.toml", "pyproject.toml")


def recall(words: "Sequence[str]") -> str | None:
    """What `cnnspec` prints for these words where every file is known and unchanged; None where it has to look."""
    paths = [word for word in words[1:] if word not in ("-q", "--quiet")]
    if words[:1] != ["check"] or not paths or any(path.startswith("-") for path in paths):
        return None
    cache = Cache.find()
    if cache is None or os.environ.get("CNNSPEC_OUTPUT_FORMAT"):
        return None
    verdicts: list[str] = []
    count = 0
    for path in paths:
        before = count
        for file in _files(path):
            found = cache.verdict(file)
            if found is None:
                return None
            verdicts += found
            count += 1
        if count == before:
            return None
    if len(words) - 1 > len(paths):
        return ""  # Quietly.
    return (
        "".join(f"{line}\n" for line in verdicts) + f"{count:,} file{'' if count == 1 else 's'} checked: no problems\n"
    )


def _files(path: str) -> "Iterator[str]":
    if not os.path.isdir(path):
        return iter((path,))
    from cnnspec.files import files_below

    return files_below(path, ".cnn")


class Cache:
    """The entries below a folder."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.stamp = _stamp()
        self._settings: dict[str, str] = {}

    @staticmethod
    def find() -> "Cache | None":
        """The cache of this user; None where there is no place for one, or an empty $CNNSPEC_CACHE_DIR turns it off."""
        folder = _cache_folder()
        return Cache(folder) if folder else None

    def verdict(self, path: str) -> list[str] | None:
        """The lines about the models of an unchanged file; None where it has to be checked."""
        from cnnspec.files import read_regular

        whole = os.path.abspath(path)
        try:
            entry = read_regular(self._place(whole), 4 * LARGEST).decode().split("\0")
            stamp, settings, project, lines, *files, check = entry
            if stamp != self.stamp or settings != self._settings_of(os.path.dirname(whole)) or files[0] != whole:
                return None
            if check != _check_of(entry[:-1]):
                return None
            if any(read_regular(name, LARGEST + 1) != text.encode() for name, text in zip(files[::2], files[1::2])):
                return None
        except (OSError, ValueError, IndexError):
            return None
        if len(files) > 2:
            from cnnspec.files import project_of

            if project != project_of(whole):
                return None
        shown = os.path.normpath(path)
        found = lines.split("\n") if lines else []
        return [f"{shown}: {line}" for line in found] if all(map(str.isprintable, [shown, *found])) else None

    def remember(self, path: str, lines: "Iterable[str]", sources: "Sequence[Source]") -> None:
        """Keep the lines about a file that has no findings; `sources` are its text and those of what it imports."""
        from cnnspec.files import project_of, write_atomic

        whole = os.path.abspath(path)
        files = [part for source in sources for part in (os.path.abspath(source.path), source.text)]
        head = [self.stamp, self._settings_of(os.path.dirname(whole)), project_of(whole), "\n".join(lines)]
        if sum(map(len, files)) > LARGEST or any("\0" in part for part in (*head, *files)):
            return
        place = self._place(whole)
        try:
            os.makedirs(os.path.dirname(place), 0o700, exist_ok=True)
            write_atomic(place, "\0".join([*head, *files, _check_of([*head, *files])]))
        except (OSError, ValueError):
            return

    def _place(self, whole: str) -> str:
        drive, rest = os.path.splitdrive(whole)
        return os.path.join(self.folder, drive.rstrip(":").strip("\\/"), rest.lstrip("\\/") + ".checked")

    def _settings_of(self, folder: str) -> str:
        """What tells the files of settings in a folder and above it from others: their names, dates and sizes."""
        if folder not in self._settings:
            parent = os.path.dirname(folder)
            own = ""
            for name in _SETTINGS:
                try:
                    status = os.stat(os.path.join(folder, name))
                except OSError:
                    continue
                own += f"{folder}/{name} {status.st_mtime_ns} {status.st_size} {status.st_ino}\n"
            self._settings[folder] = own + (self._settings_of(parent) if parent != folder else "")
        return self._settings[folder]


def _check_of(parts: "list[str]") -> str:
    """A sum that tells an entry that was damaged."""
    return str(sum("\0".join(parts).encode()))


def _cache_folder() -> str:
    """Where this platform keeps what programs can make again; "" for nowhere."""
    named = os.environ.get("CNNSPEC_CACHE_DIR")
    if named is not None:
        return named and os.path.abspath(named)
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA", "")
    elif sys.platform == "darwin":
        base = os.path.expanduser("~/Library/Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(base, "cnnspec") if os.path.isabs(base) else ""


def _stamp() -> str:
    """What tells this version from others; in a checkout, where versions say little, the newest of the files as well."""
    from cnnspec._version import __version__

    package = os.path.dirname(os.path.dirname(__file__))
    if not os.path.isfile(os.path.join(os.path.dirname(package), "pyproject.toml")):
        return f"{__version__} {os.stat(os.path.join(package, '__init__.py')).st_mtime_ns}"
    newest, files, folders = 0, 0, [package]
    for folder in folders:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.endswith(".py"):
                    newest, files = max(newest, entry.stat().st_mtime_ns), files + 1
                elif "." not in entry.name and entry.name != "__pycache__" and entry.is_dir():
                    folders.append(entry.path)
    return f"{__version__} {newest} {files}"
