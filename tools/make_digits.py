"""Make `cnnspec/data/digits.xz` from scikit-learn's `digits.csv.gz`.

    python tools/make_digits.py sklearn/datasets/data/digits.csv.gz

The file lies in every wheel of scikit-learn; each of its lines holds 64 grey values from 0 to 16 and the label. Of each
class, the first image and every fifth after it are for testing. The same input gives the same bytes.
"""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

from make_fashion_mini import pack

TARGET = Path(__file__).resolve().parent.parent / "cnnspec" / "data" / "digits.xz"


def halves(text: str) -> tuple[list[list[int]], list[list[int]]]:
    """The rows for training and for testing: 64 values and the label."""
    train: list[list[int]] = []
    test: list[list[int]] = []
    counts = [0] * 10
    for line in text.splitlines():
        row = [int(float(value)) for value in line.split(",")]
        (train if counts[row[64]] % 5 else test).append(row)
        counts[row[64]] += 1
    return train, test


def main() -> None:
    train, test = halves(gzip.decompress(Path(sys.argv[1]).read_bytes()).decode())
    packed = pack(
        [(bytes(row[64] for row in rows), bytes(v for row in rows for v in row[:64])) for rows in (train, test)]
    )
    TARGET.write_bytes(packed)
    print(f"{TARGET.name}: {len(train):,} + {len(test):,} images, {len(packed):,} bytes")


if __name__ == "__main__":
    main()
