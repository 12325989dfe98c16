"""Files of data sets, as bytes, to tensors: IDX, CIFAR (both versions), npz and what comes with the package.

Headers are checked before anything of the size that they state is made, and no array of Python objects is ever read. What is
wrong with a file is raised as `DataError` that names it.
"""

from __future__ import annotations

import gzip
import io
import math
import zipfile
import zlib
from pathlib import Path

import torch

from cnnspec.resources import resource
from cnnspec.training.data import safe_pickle
from cnnspec.training.data.archives import CHUNK, DataError, damaged, shown, too_large, unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO, Any

    from torch import Tensor

LARGEST = 4 << 30
"""Bytes that one array of a file may hold."""

# --- IDX: MNIST and its relatives ---


def read_idx(content: bytearray, name: str, dimensions: int) -> Tensor:
    """The array of an IDX file, packed by gzip or not, of bytes with so many `dimensions`: 3 for images, 1 for labels."""
    stream: IO[bytes] = io.BytesIO(content)
    if content[:2] == b"\x1f\x8b":
        stream = io.BufferedReader(gzip.GzipFile(fileobj=stream))
    try:
        header = stream.read(4 + 4 * dimensions)
        if header[:3] != b"\0\0\x08" or len(header) < 4 + 4 * dimensions or header[3] != dimensions:
            what = "images" if dimensions == 3 else "labels"
            raise DataError(
                f"{name} holds no {what} in the IDX format: it begins with {header[:4].hex(' ') or 'nothing'}"
            )
        shape = [int.from_bytes(header[at : at + 4], "big") for at in range(4, len(header), 4)]
        values = _exactly(stream, shape, 1, name)
    except (OSError, EOFError, zlib.error) as error:
        raise damaged(name, error) from None
    return _tensor(values, torch.uint8, shape)


def _exactly(stream: IO[bytes], shape: list[int], itemsize: int, name: str) -> bytearray:
    """The bytes of an array, which have to be all that is left. Memory grows with what is there, not with what is stated."""
    size = math.prod(shape) * itemsize
    if size > LARGEST:
        raise too_large(name, LARGEST)
    if size == 0:
        raise DataError(f"{name} is empty: its header states the shape {shape}")
    content = bytearray()
    while len(content) <= size and (chunk := stream.read(min(CHUNK, size + 1 - len(content)))):
        content += chunk
    if len(content) != size:
        found = f"only {len(content):,} follow" if len(content) < size else "more follow"
        raise DataError(f"{name} is damaged: its header states {size:,} bytes, but {found}")
    return content


def _tensor(content: bytearray, dtype: torch.dtype, shape: list[int]) -> Tensor:
    return torch.frombuffer(content, dtype=dtype).view(shape)


# --- CIFAR ---


def read_cifar_binary(content: bytearray, name: str, labels: int) -> tuple[Tensor, Tensor]:
    """Images and labels of a file of CIFAR's binary version: `labels` bytes, of which the last counts, and 3x32x32 bytes."""
    record = labels + 3072
    if not content or len(content) % record:
        raise DataError(f"{name} is damaged: {len(content):,} bytes are no multiple of {record}, the size of one image")
    rows = _tensor(content, torch.uint8, [-1, record])
    return rows[:, labels:].reshape(-1, 3, 32, 32), rows[:, labels - 1].long()


def read_cifar_pickle(content: bytearray, name: str, key: str) -> tuple[Tensor, Tensor]:
    """Images and labels (those under `key`) of a file of CIFAR's python version, which is read as data, never unpickled."""
    try:
        value = safe_pickle.load(content)
        if not isinstance(value, dict):
            raise safe_pickle.Unreadable("it holds no dictionary")
        fields = {_text(name): item for name, item in value.items()}
        images, labels = _array(fields.get("data")), fields.get(key)
    except safe_pickle.Unreadable as error:
        raise DataError(f"{name} is no file of CIFAR's python version: {error}") from None
    if not isinstance(labels, list) or not all(label.__class__ is int and 0 <= label < 256 for label in labels):
        raise DataError(f"{name} is no file of CIFAR's python version: it has no list {key!r} of labels")
    if len(labels) * 3072 != len(images) or not labels:
        raise DataError(f"{name} is damaged: {len(labels):,} labels for {len(images) / 3072:,.1f} images")
    return _tensor(images, torch.uint8, [-1, 3, 32, 32]), torch.tensor(labels)


def _text(value: object) -> object:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _array(value: object) -> bytearray:
    """The bytes of an array of uint8 that a pickle describes."""
    if not isinstance(value, safe_pickle.Call) or not str(value.name).endswith("_reconstruct"):
        raise safe_pickle.Unreadable("it has no array `data`")
    match value.state:
        case (_, tuple(shape), safe_pickle.Call(name="numpy dtype", args=("u1" | b"u1", *_)), False, content):
            pass
        case _:
            raise safe_pickle.Unreadable("its array `data` is not of uint8 in row order")
    try:
        values = content.encode("latin-1") if isinstance(content, str) else content
    except UnicodeEncodeError:
        values = None
    if not isinstance(values, bytes) or not all(size.__class__ is int and size >= 0 for size in shape):
        raise safe_pickle.Unreadable("its array `data` has no bytes")
    if math.prod(shape) != len(values) or shape[-1:] != (3072,):
        raise safe_pickle.Unreadable(f"its array `data` has the shape {shape} for {len(values):,} bytes")
    return bytearray(values)


# --- npz ---


class Npz:
    """The arrays of an `.npz` file by name, each read when it is asked for. Raises DataError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with zipfile.ZipFile(path) as archive:
                self.names = [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]
        except (zipfile.BadZipFile, EOFError, NotImplementedError) as error:
            raise DataError(f"{shown(path)} is no npz file: {error}") from None
        except OSError as error:
            raise unreadable(path, error) from None

    def read(self, key: str) -> Tensor:
        """One array of numbers, in any shape: uint8 and int64 as they are, other whole numbers as int64, the rest float32."""
        name = f"{key} in {shown(self.path)}"
        try:
            with zipfile.ZipFile(self.path) as archive, archive.open(f"{key}.npy") as stream:
                return _read_npy(stream, name)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
            raise damaged(name, error) from None


def _read_npy(stream: IO[bytes], name: str) -> Tensor:
    """numpy reads the header; what follows is read by us, so that no more memory is taken than there are bytes."""
    shape, by_columns, dtype = _npy_header(stream, name)
    if dtype.hasobject or dtype.kind not in "biuf":
        why = "Python objects, which could run code" if dtype.hasobject else f"values of type {dtype.str}"
        raise DataError(f"{name} holds {why}; save numbers, such as images.astype(numpy.uint8)")
    content = _exactly(stream, list(shape), dtype.itemsize, name)
    values = numpy().frombuffer(content, dtype).reshape(shape, order="F" if by_columns else "C")
    plain = "u1" if dtype == "u1" else "i8" if dtype.kind in "iu" else "u1" if dtype.kind == "b" else "f4"
    if dtype.kind == "u" and dtype.itemsize == 8 and values.max() > _MOST:
        raise DataError(f"{name} holds {int(values.max()):,}, more than a whole number may be here")
    return torch.from_numpy(numpy().ascontiguousarray(values, dtype=plain))


_MOST = 2**63 - 1


def _npy_header(stream: IO[bytes], name: str) -> tuple[tuple[int, ...], bool, Any]:
    """Shape, whether columns come first, and type of an array."""
    form = numpy().lib.format
    try:
        version = form.read_magic(stream)
    except ValueError:
        raise DataError(f"{name} is no array of numpy") from None
    try:
        read = form.read_array_header_1_0 if version == (1, 0) else form.read_array_header_2_0
        shape, by_columns, dtype = read(stream, max_header_size=10_000)
    except (ValueError, SyntaxError, TypeError, KeyError, OverflowError, MemoryError, RecursionError):
        raise DataError(f"{name} is no plain array: its header can't be read") from None
    if not all(size.__class__ is int and size >= 0 for size in shape):
        raise DataError(f"{name} is no plain array: its header can't be read")
    return shape, bool(by_columns), dtype


def numpy() -> Any:
    """The module numpy, or DataError where it isn't installed."""
    try:
        import numpy as module
    except ImportError as error:
        raise DataError(f"reading arrays needs numpy ({error})", "pip install 'cnnspec[torch]'") from None
    return module


# --- what comes with the package ---


def read_packed(name: str, count: int, image: tuple[int, int, int]) -> tuple[Tensor, Tensor]:
    """Images and labels of `name` in the package's folder `data`, `count` of them: labels, then pixels, by xz."""
    try:
        import lzma
    except ImportError:
        raise DataError("this Python was built without lzma, which the embedded data sets need") from None
    try:
        content = bytearray(lzma.decompress(resource("data", name).read_bytes()))
    except (OSError, lzma.LZMAError) as error:
        raise DataError(f"the installation is broken: {shown(str(error))}") from None
    if len(content) != count * (1 + math.prod(image)):
        raise DataError(f"the installation is broken: {name} has {len(content):,} bytes")
    values = _tensor(content, torch.uint8, [-1])
    return values[count:].view(count, *image), values[:count].long()
