"""Where the files of a data set are looked for, and how they are fetched where they may be.

Files are looked for in the path that is given; without one in `$CNNSPEC_DATA`, the user's cache and the system's folder
for data sets. Downloads go to the first of these that is given, under a temporary name, and get their name when the
checksum is right.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

from cnnspec.files import Replacement
from cnnspec.training.data.archives import CHUNK, DataError, MissingData, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import IO, TypeAlias

    from cnnspec.recipe.datasets import DataSet, Download

    Report: TypeAlias = Callable[[str, int, int], None]
    """Told of a download: the name of the file, its bytes so far, and all of them (0 where the server doesn't say)."""

SYSTEM = Path("/usr/share/datasets")
TIMEOUT = 30
"""Seconds without a byte after which a server is given up."""


def roots(path: str | os.PathLike[str] | None) -> list[tuple[Path, str]]:
    """The folders that are searched, each with what names it."""
    if path is not None:
        return [(Path(path).expanduser(), "--data")]
    found = [(_cache(), "the cache"), (SYSTEM, "the system's data sets")]
    given = os.environ.get("CNNSPEC_DATA")
    return [(Path(given).expanduser(), "$CNNSPEC_DATA"), *found] if given else found


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "cnnspec"


def candidates(data: DataSet, path: str | os.PathLike[str] | None) -> list[Path]:
    """Folders and archives that may hold the files of `data`, those that exist, in the order in which they are tried.

    Only a path that is given is tried itself: elsewhere, files of one name lie in the folders of many data sets.
    """
    found: list[Path] = []
    for root, _ in roots(path):
        folders = [root / folder for folder in data.folders]
        if path is not None:
            found.append(root)
        found += folders
        found += [folder / archive for folder in (root, *folders) for archive in data.archives]
    return [candidate for candidate in found if os.path.exists(candidate)]


def missing(data: DataSet, path: str | os.PathLike[str] | None, seen: list[str]) -> MissingData:
    """The error for a data set that was not found. `seen` says what was found of it in part."""
    name = type(data).__name__
    looked = [
        f"{shown(root)} ({what}{'' if os.path.exists(root) else ', does not exist'})" for root, what in roots(path)
    ]
    lines = ["looked in " + ", ".join(looked), *seen]
    folder = f" or in its folder {data.folders[0]}" if data.folders else ""
    lines.append(f"put {describe_files(data)} into a folder and give it with --data FOLDER: there{folder}")
    if data.downloads:
        size = sum(download.megabytes for download in data.downloads)
        lines.append(f"or let --download fetch {size} MB from {urlsplit(data.downloads[0].urls[0]).hostname}")
    if data.package:
        lines.append(f"or install the package {data.package} of Debian and Ubuntu")
    return MissingData(f"{name} is not on this machine", *lines)


def describe_files(data: DataSet) -> str:
    """The files of a data set, as a sentence names them."""
    if data.archives:
        return " or ".join(data.archives)
    names = [download.name for download in data.downloads]
    return ", ".join(names[:-1]) + " and " + names[-1] + " (packed or not)"


# --- downloads ---


def download(data: DataSet, path: str | os.PathLike[str] | None, report: Report | None = None) -> Path:
    """Fetch the files of `data` that are not there yet, and return their folder. Raises DataError."""
    if not data.downloads:
        raise DataError(f"{type(data).__name__} can't be downloaded")
    folder = roots(path)[0][0] / data.folders[0]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file in data.downloads:
            if not _is_complete(folder / file.name, file.checksum):
                _fetch(file, folder, report)
    except OSError as error:
        raise DataError(f"can't write to {shown(folder)}: {error.strerror or error}") from None
    return folder


def _is_complete(path: Path, checksum: str) -> bool:
    if not path.is_file():
        return False
    algorithm, _, digest = checksum.partition(":")
    with open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.new(algorithm, usedforsecurity=False)).hexdigest() == digest


def _fetch(file: Download, folder: Path, report: Report | None) -> None:
    """Try one address after the other."""
    failures = []
    for url in file.urls:
        try:
            with Replacement(folder / file.name, durable=True) as target:
                _receive(url, file, target, report)
            return
        except _Failed as failure:
            failures.append(f"{url}: {failure}")
    raise DataError(f"can't download {file.name}", *failures)


class _Failed(Exception):
    """Why one address gave nothing."""


def _receive(url: str, file: Download, target: IO[bytes], report: Report | None) -> None:
    """Copy what an address gives to `target`. Raises _Failed, and OSError where `target` can't be written."""
    algorithm, _, expected = file.checksum.partition(":")
    digest = hashlib.new(algorithm, usedforsecurity=False)
    limit, received = (file.megabytes + 16) << 20, 0
    with _open(url) as response:
        total = int(response.headers.get("Content-Length") or 0)
        while chunk := _read(response):
            received += len(chunk)
            if received > limit:
                raise _Failed(f"gives more than {limit:,} bytes")
            digest.update(chunk)
            target.write(chunk)
            if report is not None:
                report(file.name, received, total)
    if received < total:
        raise _Failed(f"ended after {received:,} of {total:,} bytes")
    if digest.hexdigest() != expected:
        raise _Failed(f"gives other bytes than expected: {algorithm} {digest.hexdigest()}, not {expected}")


def _open(url: str) -> http.client.HTTPResponse:
    request = urllib.request.Request(url, headers={"User-Agent": "cnnspec"})
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        raise _Failed(f"the server answers {error.code} {error.reason}") from None
    except (OSError, http.client.HTTPException) as error:
        raise _Failed(str(getattr(error, "reason", error)) or type(error).__name__) from None
    if not isinstance(response, http.client.HTTPResponse):
        raise _Failed("the address leads to no web server")
    return response


def _read(response: http.client.HTTPResponse) -> bytes:
    try:
        return response.read(CHUNK)
    except (OSError, http.client.HTTPException) as error:
        raise _Failed(f"the connection broke: {error}") from None
