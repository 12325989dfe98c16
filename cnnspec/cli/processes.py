"""`train --nproc N`: the same command in several processes of this machine, which meet under torch.distributed.

Signals go on to all of them. Where one ends in another way than the rest, the others are stopped.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time

from cnnspec.cli.common import INTERRUPTED, complain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import FrameType
    from typing import IO, Any

_GRACE = 10.0
"""Seconds that the others have to end by themselves once one has gone, and again once they were told to."""


def start(count: int) -> int:
    """Run this command in `count` processes without its --nproc; the exit code."""
    words = [word for word in sys.argv[1:] if not word.startswith("--nproc=")]
    if "--nproc" in words:
        at = words.index("--nproc")
        del words[at : at + 2]
    with contextlib.ExitStack() as stack:
        # Only the first process talks; what the others complain about is shown where the first has not complained.
        errors = [stack.enter_context(tempfile.TemporaryFile()) for _ in range(count)]
        port = _free_port()
        processes = [_start(rank, count, words, errors[rank], port) for rank in range(count)]
        with _forwarded(processes):
            first = _wait(processes)
    return _told([process.returncode for process in processes], first, errors)


def _free_port() -> int:
    """A port that is free now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def _start(rank: int, count: int, words: list[str], errors: IO[bytes], port: int) -> subprocess.Popen[bytes]:
    threads = max(1, (os.cpu_count() or 1) // count)
    environment = {"OMP_NUM_THREADS": str(threads)} | os.environ | {
        "RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(count), "LOCAL_WORLD_SIZE": str(count),
        "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port),
    }  # fmt: skip
    command = [sys.executable, "-m", "cnnspec", *words]
    # In a session of their own, so that Ctrl-C reaches them once: through us.
    return subprocess.Popen(
        command, env=environment, start_new_session=True, stdout=None if rank == 0 else subprocess.DEVNULL,
        stderr=None if rank == 0 else errors,
    )  # fmt: skip


@contextlib.contextmanager
def _forwarded(processes: list[subprocess.Popen[bytes]]) -> Iterator[None]:
    """Signals to stop go on to all processes; they finish their step and save."""

    def forward(number: int, frame: FrameType | None) -> None:
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(number)

    names = [name for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before: dict[int, Any] = {getattr(signal, n): signal.signal(getattr(signal, n), forward) for n in names}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for process in processes:
            if process.poll() is None:
                process.kill()


def _wait(processes: list[subprocess.Popen[bytes]]) -> int:
    """Wait for all; where one has failed, stop the others. The rank of the first that failed, -1 for none."""
    first, since, told = -1, 0.0, False
    while any(process.poll() is None for process in processes):
        codes = {rank: process.returncode for rank, process in enumerate(processes) if process.returncode}
        if codes and first < 0:
            # One that was killed is why the others fail, too.
            first, since = min(codes, key=lambda rank: codes[rank] >= 0), time.monotonic()
        if first >= 0 and time.monotonic() - since > _GRACE:
            for process in processes:
                if process.poll() is None:
                    process.kill() if told else process.terminate()
            told, since = True, time.monotonic()
        time.sleep(0.05)
    if first < 0:
        failed = [rank for rank, process in enumerate(processes) if process.returncode]
        first = min(failed, key=lambda rank: processes[rank].returncode >= 0, default=-1)
    return first


def _told(codes: list[int], first: int, errors: Sequence[IO[bytes]]) -> int:
    """The exit code of all, and a line where the first process has not said what was wrong."""
    if first < 0:
        return 0
    code = codes[first]
    if code < 0:
        complain(f"process {first} of {len(codes)} was ended by signal {-code}; the others were stopped")
        return 1
    if INTERRUPTED in codes and all(other in (0, INTERRUPTED) for other in codes):
        return INTERRUPTED
    if first > 0 and codes[0] <= 0:
        errors[first].seek(0)
        sys.stderr.write(errors[first].read().decode("utf-8", "replace"))
    return code
