"""Files as they were in a git revision, read without running anything that the repository or the user configures.

git is called for what it stores alone, `rev-parse`, `ls-tree` and `cat-file`: these run no hooks, filters or pagers. Its
settings are left out as far as it lets us, and objects that are missing are not fetched.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from cnnspec.errors import UsageError
from cnnspec.files import PYTHON
from cnnspec.limits import LIMITS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

SECONDS = 30
"""How long git may take for one answer."""
FILES = 2_000
"""The most files of a revision that are read."""
_NAMES = (".cnn", "pyproject.toml", "cnnspec.toml")
_PYTHON = (".py", "pyproject.toml", "setup.py", "cnnspec.toml")


def checked_out(path: str, revision: str, folder: str) -> str:
    """Write the specs of a file's repository as of a revision into `folder`, its Python files for one that holds Python;
    the path of the file there.

    Raises UsageError without git, outside of a repository, and for a revision or a file that it does not have.
    """
    if not revision or revision.startswith("-") or any(char in revision for char in ":\n\0"):
        raise UsageError(f"{revision!r} is no git revision")
    home = os.path.dirname(os.path.realpath(path))
    top = _git(home, ["rev-parse", "--show-toplevel"], "is in no git repository", path).decode().rstrip("\n")
    commit = _git(home, ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"],
                  f"has no revision {revision!r} in its repository", path).decode().strip()  # fmt: skip
    name = os.path.relpath(os.path.realpath(path), os.path.realpath(top)).replace(os.sep, "/")
    listed = _git(top, ["ls-tree", "-r", "-z", "-l", commit], "can't be read there", path)
    endings = (os.path.splitext(path)[1], *_PYTHON) if path.endswith(PYTHON) else _NAMES
    blobs = dict(_blobs(listed, endings))
    if name not in blobs:
        raise UsageError(f"{path}: there is no {name} in {revision}")
    if len(blobs) > FILES:
        raise UsageError(f"{path}: {revision} has more than {FILES:,} such files")
    contents = _contents(top, list(blobs.values()), path)
    for file, blob in blobs.items():
        target = Path(folder, *file.split("/"))
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(contents[blob])
    Path(folder, "cnnspec.toml").touch()
    return os.path.join(folder, *name.split("/"))


def _blobs(listed: bytes, endings: tuple[str, ...]) -> list[tuple[str, str]]:
    """The files of a revision that end so, with the names of their contents; no links, and none that is too large."""
    found = []
    for entry in listed.split(b"\0"):
        head, _, name = entry.partition(b"\t")
        parts, text = head.split(), os.fsdecode(name)
        if len(parts) != 4 or parts[0] not in (b"100644", b"100755") or not text.endswith(endings):
            continue
        inside = not text.startswith("/") and ".." not in text.split("/") and "\\" not in text
        if inside and parts[3].isdigit() and int(parts[3]) <= LIMITS.file_bytes:
            found.append((text, parts[2].decode()))
    return found


def _contents(top: str, blobs: Sequence[str], path: str) -> dict[str, bytes]:
    """Contents by their names, all from one call of git."""
    wanted = "".join(f"{blob}\n" for blob in dict.fromkeys(blobs)).encode()
    answer = _git(top, ["cat-file", "--batch"], "can't be read there", path, wanted)
    found, at = {}, 0
    while at < len(answer):
        end = answer.index(b"\n", at)
        blob, kind, size = answer[at:end].split()
        if kind != b"blob":
            raise UsageError(f"{path}: the repository lacks {blob.decode()}")
        start = end + 1
        found[blob.decode()] = answer[start : start + int(size)]
        at = start + int(size) + 1
    return found


def _git(folder: str, arguments: Sequence[str], problem: str, path: str, given: bytes = b"") -> bytes:
    """What git prints; UsageError where it refuses."""
    command = [
        "git", "--no-pager", "--no-optional-locks", "--no-replace-objects", "-c", "core.fsmonitor=false", "-c",
        f"core.hooksPath={os.devnull}", "-c", "protocol.allow=never", *arguments,
    ]  # fmt: skip
    try:
        run = subprocess.run(
            command, cwd=folder, input=given, capture_output=True, check=False, timeout=SECONDS, env=_environment()
        )
    except FileNotFoundError:
        raise UsageError("--against needs git") from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UsageError(f"{path}: git does not answer: {error}") from None
    if run.returncode:
        raise UsageError(f"{path} {problem}")
    return run.stdout


def _environment() -> dict[str, str]:
    """The environment without what steers git, and without settings of the user and the machine."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return kept | {
        "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1",
        "GIT_OPTIONAL_LOCKS": "0", "GIT_ATTR_NOSYSTEM": "1", "LC_ALL": "C",
    }  # fmt: skip
