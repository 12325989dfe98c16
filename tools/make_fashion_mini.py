"""Make `cnnspec/data/fashion_mini.xz` from the IDX files of Fashion-MNIST.

    python tools/make_fashion_mini.py [FOLDER]

FOLDER holds the four files of the publisher; the Debian package `dataset-fashion-mnist` puts them where they are looked for
by default. Taken are the first 500 training and the first 100 test images of each class, in the order of the files. The same
input gives the same bytes.
"""

from __future__ import annotations

import gzip
import lzma
import sys
from pathlib import Path

FOLDER = Path("/usr/share/datasets/fashion-mnist")
TARGET = Path(__file__).resolve().parent.parent / "cnnspec" / "data" / "fashion_mini.xz"
PIXELS = 28 * 28
# The smallest of eight settings of lc, lp and pb that were tried.
FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "lc": 4, "lp": 0, "pb": 2}]


def values(path: Path, dimensions: int) -> bytes:
    """What follows the header of an IDX file."""
    return gzip.decompress(path.read_bytes())[4 + 4 * dimensions :]


def first(folder: Path, half: str, each: int) -> tuple[bytes, bytes]:
    """Labels and pixels of the first `each` images of every class."""
    labels = values(folder / f"{half}-labels-idx1-ubyte.gz", 1)
    pixels = values(folder / f"{half}-images-idx3-ubyte.gz", 3)
    taken, counts = [], [0] * 10
    for index, label in enumerate(labels):
        if counts[label] < each:
            counts[label] += 1
            taken.append(index)
    images = [pixels[index * PIXELS : (index + 1) * PIXELS] for index in taken]
    return bytes(labels[index] for index in taken), b"".join(images)


def pack(parts: list[tuple[bytes, bytes]]) -> bytes:
    """Labels of all parts, then their pixels, as xz."""
    content = b"".join(labels for labels, _ in parts) + b"".join(pixels for _, pixels in parts)
    return lzma.compress(content, format=lzma.FORMAT_XZ, check=lzma.CHECK_CRC64, filters=FILTERS)


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    packed = pack([first(folder, "train", 500), first(folder, "t10k", 100)])
    TARGET.write_bytes(packed)
    print(f"{TARGET.name}: 5,000 + 1,000 images, {len(packed):,} bytes")


if __name__ == "__main__":
    main()
