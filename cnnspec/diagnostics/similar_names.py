"""Which known name was most likely meant."""

from __future__ import annotations

from itertools import islice

from cnnspec.diagnostics.suggestions import Kind, Suggestion, note

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


MOST = 1_000
"""Known names that are looked at, the first ones: a file with more was written by a program."""
LONGEST = 64
"""Letters of a name above which nobody asks what was meant."""
_TRIALS = 200
"""Names that one misspelt name is compared with letter by letter, after those that can't be near were passed over."""


def closest(name: str, known: Iterable[str]) -> str | None:
    """The known name nearest to `name`: at most a third of its letters differ, or only case and underscores do."""
    found = nearest(name, known)
    return found[0] if found else None


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """All known names that are as near as the closest one, in order."""
    if len(name) > LONGEST:
        return []
    index, plain = _index(_first(known)), _plain(name)
    if plain in index.same:
        return list(index.same[plain])
    # Of one or two letters, another one is another name.
    least, found = max(1, len(name) // 3) if len(name) > 2 else 0, []
    for candidate in index.near(plain, least):
        distance = edit_distance(plain, candidate, least)
        if distance < least:
            least, found = distance, [candidate]
        elif distance == least:
            found.append(candidate)
    return sorted(name for plain in found for name in index.same[plain])


def _first(known: Iterable[str]) -> frozenset[str]:
    return known if isinstance(known, frozenset) else frozenset(islice(known, MOST))


_indexes: dict[frozenset[str], _Index] = {}
_KEPT = 4
"""Sets of names whose preparation is kept for the next question."""


def _index(known: frozenset[str]) -> _Index:
    if known not in _indexes:
        if len(_indexes) >= _KEPT:
            del _indexes[next(iter(_indexes))]
        _indexes[known] = _Index(known)
    return _indexes[known]


class _Index:
    """Known names, prepared for many questions: what is too far away to be meant is passed over without a comparison."""

    def __init__(self, known: frozenset[str]) -> None:
        self.same: dict[str, tuple[str, ...]] = {}
        for name in sorted(one for one in known if len(one) <= 2 * LONGEST):
            plain = _plain(name)
            self.same[plain] = (*self.same.get(plain, ()), name)
        self.plain = sorted(self.same)
        self._by_length: dict[int, list[tuple[int, str]]] = {}
        for plain in self.plain:
            self._by_length.setdefault(len(plain), []).append((_letters(plain), plain))

    def near(self, plain: str, most: int) -> list[str]:
        """Names that may be `most` edits or fewer away: those of about its length, and with about its letters."""
        own = _letters(plain)
        found: list[str] = []
        for length in sorted(self._by_length, key=lambda length: (abs(length - len(plain)), length)):
            if abs(length - len(plain)) > most or len(found) >= _TRIALS:
                break
            # An edit takes away a letter and brings in another one at most.
            found += [name for letters, name in self._by_length[length] if (letters ^ own).bit_count() <= 2 * most]
        return found[:_TRIALS]

    def beginning_with(self, start: str) -> list[str]:
        """Names with this beginning, at most as many as are compared."""
        from bisect import bisect_left

        at = bisect_left(self.plain, start)
        found: list[str] = []
        while at < len(self.plain) and self.plain[at].startswith(start) and len(found) < _TRIALS:
            found += self.same[self.plain[at]]
            at += 1
        return sorted(found)


def _letters(plain: str) -> int:
    """The set of letters of a name, as bits."""
    bits = 0
    for letter in set(plain):
        bits |= 1 << (ord(letter) & 63)
    return bits


def _plain(name: str) -> str:
    return name.lower().replace("_", "")


def edit_distance(a: str, b: str, most: int | None = None) -> int:
    """Insertions, deletions, substitutions and swaps of neighbours between two words (optimal string alignment).

    A distance that is larger than `most` is given as `most + 1`.
    """
    a, b = _unequal(a, b)
    if most == 1 and max(len(a), len(b)) > 1:
        # What is left differs at both of its ends: of single edits, a swap alone does that.
        return 1 if len(a) == 2 and a == b[::-1] else 2
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, last, row = row, before, [i]
        for j, y in enumerate(b, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
        # A swap looks back two rows.
        if most is not None and min(row) > most and min(before) > most:
            return most + 1
    return row[-1] if most is None else min(row[-1], most + 1)


def _unequal(a: str, b: str) -> tuple[str, str]:
    """Two words without what they begin and end with alike."""
    start, end = 0, min(len(a), len(b))
    while start < end and a[start] == b[start]:
        start += 1
    a, b, end = a[start:], b[start:], end - start
    while end and a[-1] == b[-1]:
        a, b, end = a[:-1], b[:-1], end - 1
    return a, b


# Names that other libraries have for the same thing.
_ELSEWHERE = {
    "Dense": "Linear",
    "FC": "Linear",
    "Activation": "ReLU",
    "BatchNormalization": "BatchNorm2d",
    "LayerNormalization": "LayerNorm",
    "MaxPooling2D": "MaxPool2d",
    "AveragePooling2D": "AvgPool2d",
    "GlobalAveragePooling2D": "AdaptiveAvgPool2d",
    "GlobalMaxPooling2D": "AdaptiveMaxPool2d",
    "Conv2DTranspose": "ConvTranspose2d",
    "UpSampling2D": "Upsample",
    "ZeroPadding2D": "ZeroPad2d",
    "Reshape": "Unflatten",
    "Swish": "SiLU",
    "filters": "out_channels",
    "units": "out_features",
    "rate": "p",
    "pool_size": "kernel_size",
    "strides": "stride",
    "dilation_rate": "dilation",
    "use_bias": "bias",
    "epsilon": "eps",
    "alpha": "negative_slope",
}


def meant(name: str, known: Iterable[str], kind: Kind) -> tuple[Suggestion, ...]:
    """What a misspelt name, the beginning of one, or another library's name most likely means: empty where nothing is near."""
    if name == "activation":
        return (note("write the activation as a layer of its own below: `ReLU`"),)
    names = _first(known)
    elsewhere = _ELSEWHERE.get(name)
    if elsewhere in names:
        return (Suggestion(kind, {"written": name, "meant": elsewhere, "ties": (elsewhere,)}),)
    near, longer = nearest(name, names), _beginning(name, names)
    if longer and near and _plain(name).startswith(_plain(near[0])) and _plain(name) != _plain(near[0]):
        # Who writes `MaxP` is on the way to `MaxPool2d`, past `Max`.
        near = []
    meant = near[0] if near else longer
    return (Suggestion(kind, {"written": name, "meant": meant, "ties": tuple(near) or (meant,)}),) if meant else ()


def is_plain(written: str, meant: str, ties: tuple[str, ...]) -> bool:
    """Whether a misspelt name can mean one known name alone.

    No other one is as near, the digits are the same ones (`skip2` is no slip of `skip1`), and it is more than a letter or two
    that agree.
    """
    if len(ties) > 1:
        return False
    if _plain(written) == _plain(meant):
        return True
    same_digits = [c for c in written if c.isdigit()] == [c for c in meant if c.isdigit()]
    most = len(written) // 3
    return same_digits and len(written) <= LONGEST and edit_distance(_plain(written), _plain(meant), most) <= most


def _beginning(name: str, known: frozenset[str]) -> str | None:
    """The name that `name` is the beginning of, the shortest of several. For an image rather than a sequence or volume."""
    start = _plain(name)
    longer = _index(known).beginning_with(start) if 2 < len(start) <= LONGEST else []
    images = [found for found in longer if found.endswith("2d")]
    return min(images or longer, key=len, default=None)
