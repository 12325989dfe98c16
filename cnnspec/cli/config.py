"""Settings of a project: `[tool.cnnspec]` of pyproject.toml, or cnnspec.toml, in the nearest folder above a checked file.

A pyproject.toml without that table does not count, and cnnspec.toml goes first where a folder has both. Neither is parsed
unless it holds settings. `Selection` says which codes are shown, here and for `--select` and `--ignore`.
"""

from __future__ import annotations

import os

from cnnspec.diagnostics.render import clean
from cnnspec.errors import UsageError
from cnnspec.files import read_regular
from cnnspec.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

_NAMES = ("cnnspec.toml", "pyproject.toml")
KEYS = ("select", "ignore", "exclude", "python", "output-format", "error-on-warning")


class ConfigError(UsageError):
    """Settings that can't be used."""

    def __init__(self, message: str) -> None:
        super().__init__(clean(message))


@record
class Selection:
    """Codes that are wanted and codes that are not, by their first signs: `W2` is every warning about networks.

    The longer of two that match decides, and `ignore` where both are as long. Nothing in `select` selects every code.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()

    def shows(self, code: str) -> bool:
        """Whether findings of a code are shown.

        >>> Selection(select=("W2",), ignore=("W203",)).shows("W203")
        False
        """
        wanted = _longest(code, self.select) if self.select else 0
        return wanted > _longest(code, self.ignore)


def _longest(code: str, prefixes: Iterable[str]) -> int:
    return max((len(prefix) for prefix in prefixes if code.startswith(prefix)), default=-1)


@record
class Config:
    """The settings that hold for a folder. `path` is their file, "" where there is none."""

    path: str = ""
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    output_format: str | None = None
    error_on_warning: bool = False
    python: tuple[str, ...] = ()
    """Folders whose .py files are checked where a folder above them is, relative to the file of the settings."""

    @property
    def changes_output(self) -> bool:
        """Whether what is printed depends on more than the files and which codes are shown."""
        return bool(self.exclude or self.python or self.output_format)

    def reads_python(self, path: str) -> bool:
        """Whether a .py file lies in one of the folders that are named for it."""
        if not self.python:
            return False
        below = os.path.relpath(os.path.abspath(path), os.path.dirname(os.path.abspath(self.path))).split(os.sep)
        folders = [os.path.normpath(folder).split(os.sep) for folder in self.python]
        return any(below[: len(folder)] == folder or folder == ["."] for folder in folders)

    def excludes(self, path: str) -> bool:
        """Whether a file that a folder was searched for is left out: a pattern fits its path, a folder above it, or a name.

        Paths are relative to the file of the settings; `*` stands for `/` too.
        """
        if not self.exclude:
            return False
        from fnmatch import fnmatchcase

        parts = os.path.relpath(os.path.abspath(path), os.path.dirname(os.path.abspath(self.path))).split(os.sep)
        names = parts + ["/".join(parts[:end]) for end in range(1, len(parts) + 1)]
        return any(fnmatchcase(name, pattern.removesuffix("/")) for pattern in self.exclude for name in names)


NOTHING = Config()


class Configs:
    """Finds the settings of files; each folder is looked at once."""

    def __init__(self) -> None:
        self._known: dict[str, Config] = {}

    def of(self, path: str) -> Config:
        """The settings that hold for a file. Raises ConfigError."""
        return self._of_folder(os.path.dirname(os.path.abspath(path)))

    @property
    def paths(self) -> set[str]:
        """The files of settings that were read."""
        return {config.path for config in self._known.values() if config.path}

    @property
    def places(self) -> set[str]:
        """Where settings were looked for."""
        return {os.path.join(folder, name) for folder in self._known for name in _NAMES}

    def _of_folder(self, folder: str) -> Config:
        if folder not in self._known:
            parent = os.path.dirname(folder)
            here = read_config(folder)
            self._known[folder] = here or (NOTHING if parent == folder else self._of_folder(parent))
        return self._known[folder]


def read_config(folder: str) -> Config | None:
    """The settings in a folder itself, or None. Raises ConfigError."""
    for name in _NAMES:
        path = os.path.join(folder, name)
        try:
            data = read_regular(path)
        except OSError:
            continue
        own = name == "cnnspec.toml"
        if own and not data.strip():
            return Config(path)
        if not own and not (b"tool.cnnspec" in data or (b"[tool]" in data and b"cnnspec" in data)):
            continue
        table = _table(path, data, own=own)
        if table is not None:
            return _checked(path, table)
    return None


def _table(path: str, data: bytes, *, own: bool) -> Any:
    import tomllib

    try:
        content: Any = tomllib.loads(data.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{_shown(path)} is no TOML: {error}") from None
    if own:
        return content
    return content.get("tool", {}).get("cnnspec")


def _checked(path: str, table: Any) -> Config:
    """The settings of a table, each of the kind that it has to be."""
    if not isinstance(table, dict):
        raise ConfigError(f"{_shown(path)}: cnnspec has to be a table")
    for key in table:
        if key not in KEYS:
            from cnnspec.diagnostics import did_you_mean

            near = "".join(f", {hint}" for hint in did_you_mean(key.replace("_", "-"), KEYS))
            raise ConfigError(f"{_shown(path)}: there is no setting `{key}`{near or f': there is {_LISTED}'}")
    wanted = table.get("error-on-warning", False)
    if not isinstance(wanted, bool):
        raise ConfigError(f"{_shown(path)}: error-on-warning has to be true or false")
    output_format = table.get("output-format")
    if output_format is not None and not isinstance(output_format, str):
        raise ConfigError(f"{_shown(path)}: output-format has to be a string")
    select, ignore = (check_codes(_strings(path, table, key), f"{_shown(path)}: {key}") for key in KEYS[:2])
    return Config(
        path, select, ignore, _strings(path, table, "exclude"), output_format, wanted, _strings(path, table, "python")
    )


_LISTED = ", ".join(KEYS)


def _strings(path: str, table: dict[str, Any], key: str) -> tuple[str, ...]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ConfigError(f"{_shown(path)}: {key} has to be a list of strings")
    return tuple(value)


def check_codes(prefixes: tuple[str, ...], where: str) -> tuple[str, ...]:
    """The prefixes, if each begins a code. Raises ConfigError; `where` says in it what they were given to."""
    if not prefixes:
        return ()
    from cnnspec.diagnostics import did_you_mean
    from cnnspec.lint.catalogue import CODES

    for prefix in prefixes:
        if not prefix or not any(code.startswith(prefix) for code in CODES):
            near = "".join(f", {hint}" for hint in did_you_mean(prefix, CODES))
            raise ConfigError(f"{where}: no code begins with `{prefix}`{near}")
    return prefixes


def _shown(path: str) -> str:
    below = os.path.relpath(path)
    return path if below.startswith("..") else below
