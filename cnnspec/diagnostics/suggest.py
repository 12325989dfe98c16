"""Which known name was most likely meant."""

from __future__ import annotations

from functools import lru_cache

from cnnspec.diagnostics.suggestions import SPELLING, Kind, Suggestion, listing, note

__all__ = ["closest", "did_you_mean", "edit_distance", "is_plain", "listing", "nearest"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def closest(name: str, known: Iterable[str]) -> str | None:
    """The known name nearest to `name`: at most a third of its letters differ, or only case and underscores do."""
    return _closest(name, frozenset(known))


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """All known names that are as near as the closest one, that one first."""
    names = frozenset(known)
    first = _closest(name, names)
    if first is None:
        return []
    plain = _plain(name)
    least = edit_distance(plain, _plain(first))
    others = [other for other in sorted(names) if edit_distance(plain, _plain(other)) == least and other != first]
    return [first, *others]


# Loops come by the same mistake thousands of times.
@lru_cache(maxsize=256)
def _closest(name: str, known: frozenset[str]) -> str | None:
    plain = _plain(name)
    best, best_distance = None, max(1, len(name) // 3) + 1.0
    for candidate in sorted(known):
        if abs(len(candidate) - len(name)) >= best_distance and _plain(candidate) != plain:
            continue
        distance = 0.5 if _plain(candidate) == plain else edit_distance(plain, _plain(candidate)) + 0.1
        if distance < best_distance:
            best, best_distance = candidate, distance
    return best


def _plain(name: str) -> str:
    return name.lower().replace("_", "")


def edit_distance(a: str, b: str) -> int:
    """Insertions, deletions, substitutions and swaps of neighbours between two words (optimal string alignment)."""
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, last, row = row, before, [i]
        for j, y in enumerate(b, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1]


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


def did_you_mean(name: str, known: Iterable[str], kind: Kind = SPELLING) -> tuple[Suggestion, ...]:
    """What a misspelt name, the beginning of one, or another library's name most likely means: empty where nothing is near."""
    if name == "activation":
        return (note("write the activation as a layer of its own below: `ReLU`"),)
    names = frozenset(known)
    elsewhere = _ELSEWHERE.get(name)
    if elsewhere in names:
        return (Suggestion(kind, {"written": name, "meant": elsewhere, "ties": (elsewhere,)}),)
    near = nearest(name, names)
    meant = near[0] if near else _beginning(name, names)
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
    return same_digits and 3 * edit_distance(_plain(written), _plain(meant)) <= len(written)


def _beginning(name: str, known: Iterable[str]) -> str | None:
    """The name that `name` is the beginning of, the shortest of several. For an image rather than a sequence or volume."""
    start = _plain(name)
    longer = [found for found in sorted(known) if len(start) > 2 and _plain(found).startswith(start)]
    images = [found for found in longer if found.endswith("2d")]
    return min(images or longer, key=len, default=None)
