"""Which tensor of a state dict belongs to which of a network, by names and shapes alone; nothing here needs torch.

Tensors go by modules: those with one path in front of the last dot are one unit, which matches another of the same tensors
and shapes. Units whose names agree are matched by them. The others are matched in order, as both networks list them, which
is the order in which values flow; one that stands elsewhere in the other list is matched where nothing else could be it.
What stays doubtful is told, and not matched.
"""

from __future__ import annotations

import itertools
import re

from cnnspec.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Shape = tuple[int, ...]
LIMIT = 4_000
"""The most units that are aligned: the time grows with the square."""
_BUFFERS = {"running_mean", "running_var", "num_batches_tracked"}
_LAYER = {"weight", "bias"} | _BUFFERS


@record
class Unit:
    """The tensors of one module: its path, and their keys by their last names."""

    path: str
    keys: tuple[tuple[str, str], ...]
    signature: tuple[tuple[str, Shape], ...]


@record
class Match:
    """Two tensors that belong together, and why: "name" or "order"."""

    key: str
    other: str
    by: str


@record
class Problem:
    """A tensor of the network that has no counterpart, or one of the file (`key` empty) that nothing takes."""

    key: str
    other: str
    reason: str
    is_doubt: bool = False
    """Whether something could be it, and what is not sure."""


@record
class Matching:
    """What was found."""

    matches: tuple[Match, ...]
    problems: tuple[Problem, ...]

    @property
    def is_whole(self) -> bool:
        return not self.problems


def plain(shape: Sequence[int]) -> Shape:
    """A shape without sizes of 1 at its end: a 1x1 convolution has the values of a Linear layer."""
    sizes = tuple(shape)
    while sizes and sizes[-1] == 1:
        sizes = sizes[:-1]
    return sizes


def units_of(shapes: Mapping[str, Sequence[int]]) -> list[Unit]:
    """The units of a state dict, in its order. What counts batches belongs to no unit: it may be missing."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for key in shapes:
        path, _, last = key.rpartition(".")
        if last == "num_batches_tracked":
            continue
        # What a module holds itself beside its children may stand anywhere: each such tensor is a unit.
        known = last in _LAYER or last.startswith(("in_proj", "weight_", "bias_", "original"))
        groups.setdefault(path if known else f"{key}!", []).append((last, key))
    found = []
    for path, keys in groups.items():
        if path.endswith("!"):
            signature: tuple[tuple[str, Shape], ...] = (("", plain(shapes[keys[0][1]])),)
        else:
            signature = tuple(sorted((last, plain(shapes[key])) for last, key in keys))
        found.append(Unit(path.removesuffix("!"), tuple(keys), signature))
    return found


def match(
    ours: Mapping[str, Sequence[int]], theirs: Mapping[str, Sequence[int]], siblings: Iterable[Sequence[str]] = ()
) -> Matching:
    """What of `theirs` belongs to what of `ours`; both map keys to shapes, in order.

    `siblings` lists the paths of modules of ours that run side by side on one value: their order says nothing.
    """
    if _agree(ours, theirs):
        counts = {key for key in ours if key.endswith("num_batches_tracked")}
        return Matching(tuple(Match(key, key, "name") for key in ours if key in theirs or key not in counts), ())
    return _Matcher(ours, theirs, siblings).run()


def _agree(ours: Mapping[str, Sequence[int]], theirs: Mapping[str, Sequence[int]]) -> bool:
    """Whether the keys and shapes are the same, but for what counts batches."""
    needed = {key for key in ours if not key.endswith("num_batches_tracked")}
    there = {key for key in theirs if not key.endswith("num_batches_tracked")}
    return needed == there and all(tuple(ours[key]) == tuple(theirs[key]) for key in needed)


class _Matcher:
    def __init__(
        self, ours: Mapping[str, Sequence[int]], theirs: Mapping[str, Sequence[int]], siblings: Iterable[Sequence[str]]
    ) -> None:
        self.ours, self.theirs = ours, theirs
        self.own, self.other = units_of(ours), units_of(theirs)
        self.siblings = list(siblings)
        self.pairs: dict[int, tuple[int, str]] = {}
        self.taken: set[int] = set()
        self.doubts: dict[int, str] = {}

    def run(self) -> Matching:
        self._by_name()
        left = [i for i in range(len(self.own)) if i not in self.pairs]
        right = [j for j in range(len(self.other)) if j not in self.taken]
        same = [self.own[i].signature for i in left] == [self.other[j].signature for j in right]
        aligned = list(zip(left, right)) if same else self._aligned(left, right)
        for i, j in aligned:
            self._pair(i, j, "order")
        if not same:
            self._moved()
        self._doubt_siblings()
        self._doubt_numbers()
        return self._result()

    def _pair(self, i: int, j: int, by: str) -> None:
        self.pairs[i] = (j, by)
        self.taken.add(j)

    def _by_name(self) -> None:
        """Units whose names agree; a name that is a number says nothing."""
        places = {unit.path: j for j, unit in enumerate(self.other)}
        for i, unit in enumerate(self.own):
            j = places.get(unit.path)
            named = unit.path and not unit.path.rpartition(".")[2].isdigit()
            if j is not None and named and self.other[j].signature == unit.signature:
                self._pair(i, j, "name")

    def _aligned(self, left: list[int], right: list[int]) -> list[tuple[int, int]]:
        """The longest common run of signatures, in order."""
        if max(len(left), len(right)) > LIMIT:
            return []
        numbers: dict[object, int] = {}
        a = [numbers.setdefault(self.own[i].signature, len(numbers)) for i in left]
        b = [numbers.setdefault(self.other[j].signature, len(numbers)) for j in right]
        near_a, near_b = _nearness(self.own, left), _nearness(self.other, right)
        return [(left[x], right[y]) for x, y in longest_common(a, b, near_a, near_b)]

    def _moved(self) -> None:
        """Units that stand elsewhere: matched where the signature leaves one choice, nearby or in all."""
        left = [i for i in range(len(self.own)) if i not in self.pairs]
        right = [j for j in range(len(self.other)) if j not in self.taken]
        own, other = _by_signature(self.own, left), _by_signature(self.other, right)
        moved: list[tuple[int, int]] = []
        for signature, places in own.items():
            found = other.get(signature, [])
            if not found:
                continue
            if len(found) != len(places):
                for i in places:
                    self.doubts[i] = f"{len(found)} of its shapes are left, for {len(places)}"
                continue
            windows = [self._window(i, j) for i, j in zip(places, found)]
            apart = all(one[1] <= two[0] for one, two in itertools.pairwise(windows))
            if len(places) > 1 and not apart:
                for i in places:
                    self.doubts[i] = f"it could be any of {', '.join(self.other[j].path for j in found[:3])}"
                continue
            for i, j in zip(places, found):
                self._pair(i, j, "order")
                moved.append((i, j))
        for i, j in moved:
            self._doubt_exchange(i, j)

    def _doubt_exchange(self, i: int, j: int) -> None:
        """A unit that has moved past another of its shapes: that one could be it, unless their neighbours tell."""
        low, high = sorted((i, j))
        for k in range(max(0, low - 1), min(high + 2, len(self.own))):
            pair = self.pairs.get(k)
            if k == i or pair is None or pair[1] != "order" or self.own[k].signature != self.own[i].signature:
                continue
            if self._company(i, pair[0]) + self._company(k, j) >= self._company(i, j) + self._company(k, pair[0]):
                self.doubts[i] = f"it could be {self.other[j].path} or {self.other[pair[0]].path}"

    def _company(self, i: int, j: int) -> int:
        """How many of the neighbours of two units are matched with each other."""
        return sum(self.pairs.get(i + step, (-9, ""))[0] == j + step for step in (-1, 1))

    def _window(self, i: int, j: int) -> tuple[int, int]:
        """Between which matched units, as numbered here, a pair lies on either side."""
        before_own = sum(1 for k, (_, by) in self.pairs.items() if k < i and by == "order")
        before_other = sum(1 for k, by in self.pairs.values() if k < j and by == "order")
        return min(before_own, before_other), max(before_own, before_other)

    def _doubt_siblings(self) -> None:
        """Modules that run side by side and are alike could be exchanged, unless names tell them apart."""
        for paths in self.siblings:
            below = [[i for i, unit in enumerate(self.own) if _is_below(unit.path, path)] for path in paths]
            for first, second in itertools.pairwise(below):
                if not first or [self.own[i].signature for i in first] != [self.own[i].signature for i in second]:
                    continue
                if any(self.pairs.get(i, (0, ""))[1] != "order" for i in (*first, *second)):
                    continue
                pairs = [
                    (self.other[self.pairs[i][0]].path, self.other[self.pairs[k][0]].path)
                    for i, k in zip(first, second)
                ]
                if not all(_counts_up(one, other) for one, other in pairs):
                    one, other = self.own[first[0]].path, self.own[second[0]].path
                    for i in (*first, *second):
                        self.doubts[i] = f"{one} and {other} are alike and run side by side: their order says nothing"

    def _doubt_numbers(self) -> None:
        """Neighbours that are alike, of which the names in the file count down."""
        for i, (j, by) in self.pairs.items():
            following = self.pairs.get(i + 1)
            if by != "order" or following is None or following[1] != "order":
                continue
            if self.own[i].signature == self.own[i + 1].signature:
                one, other = self.other[j].path, self.other[following[0]].path
                if _counts_up(other, one):
                    self.doubts[i] = self.doubts[i + 1] = f"{other} stands behind {one}, which has the same shapes"

    def _result(self) -> Matching:
        matches: list[Match] = []
        problems: list[Problem] = []
        for i, unit in enumerate(self.own):
            pair = self.pairs.get(i)
            if pair is None or i in self.doubts:
                reason = self.doubts.get(i) or self._missing(unit)
                problems += [Problem(key, "", reason, i in self.doubts) for _, key in unit.keys]
                continue
            matches += self._matches(unit, self.other[pair[0]], pair[1])
        doubted = {self.pairs[i][0] for i in self.doubts if i in self.pairs}
        for j, unit in enumerate(self.other):
            if j not in self.taken and j not in doubted:
                problems += [
                    Problem("", key, "nothing in the network has its place and shapes") for _, key in unit.keys
                ]
        return Matching(tuple(matches), tuple(problems))

    def _missing(self, unit: Unit) -> str:
        """Why there is nothing for a unit."""
        at = next((other for other in self.other if other.path == unit.path), None)
        if at is not None and at.signature != unit.signature:
            return f"it is {_shown(self.ours, unit)}, in the file {_shown(self.theirs, at)}"
        return f"nothing in the file is {_shown(self.ours, unit)} at its place"

    def _matches(self, unit: Unit, other: Unit, by: str) -> list[Match]:
        if len(unit.keys) == 1:
            found = [Match(unit.keys[0][1], other.keys[0][1], by)]
        else:
            names = dict(other.keys)
            found = [Match(key, names[last], by) for last, key in unit.keys]
        counted = f"{unit.path}.num_batches_tracked".lstrip(".")
        theirs = f"{other.path}.num_batches_tracked".lstrip(".")
        if counted in self.ours and theirs in self.theirs:
            found.append(Match(counted, theirs, by))
        return found


def _by_signature(units: Sequence[Unit], places: Iterable[int]) -> dict[object, list[int]]:
    found: dict[object, list[int]] = {}
    for place in places:
        found.setdefault(units[place].signature, []).append(place)
    return found


def _nearness(units: Sequence[Unit], places: Sequence[int]) -> list[int]:
    """For each unit how many names its path has in common with the one before it."""
    paths = [units[place].path.split(".") for place in places]
    found = [0] * len(paths)
    for place in range(1, len(paths)):
        for one, other in zip(paths[place - 1], paths[place]):
            if one != other:
                break
            found[place] += 1
    return found


def _is_below(path: str, above: str) -> bool:
    return path == above or path.startswith(f"{above}.")


def _counts_up(one: str, other: str) -> bool:
    """Whether two paths differ in a number alone, and it is larger in the second."""
    split = re.compile(r"(\d+)")
    first, second = split.split(one), split.split(other)
    if len(first) != len(second):
        return False
    different = [(a, b) for a, b in zip(first, second) if a != b]
    return bool(different) and all(a.isdigit() and b.isdigit() and int(a) < int(b) for a, b in different[:1])


def _shown(shapes: Mapping[str, Sequence[int]], unit: Unit) -> str:
    return " and ".join(f"{last} {list(shapes[key])}" for last, key in unit.keys if last not in _BUFFERS) or "buffers"


def longest_common(
    a: Sequence[int], b: Sequence[int], near_a: Sequence[int], near_b: Sequence[int]
) -> list[tuple[int, int]]:
    """The positions of the longest sequence that both have in this order; of several, the one that tears least apart.

    `near_a` and `near_b` say of each item how near it is to the one before it. So a part that stands in front in one list
    and behind in the other moves as a whole, though some of its shapes are those of its neighbours.
    """
    most = (len(a) + len(b) + 1) * (2 + max(near_a, default=0))
    columns = range(1, len(b) + 1)
    # best[y]: the score of the alignment of what was seen of a with b[:y]; ends[y]: of one that ends in a match.
    best, ends = [0] * (len(b) + 1), [-1] * (len(b) + 1)
    moves: list[list[int]] = []
    for at, x in enumerate(a):
        new_best, new_ends, row = [0] * (len(b) + 1), [-1] * (len(b) + 1), [0] * (len(b) + 1)
        for y in columns:
            if x == b[y - 1]:
                together = ends[y - 1] + 1 + min(near_a[at], near_b[y - 1])
                runs_on = ends[y - 1] >= 0 and together > best[y - 1]
                new_ends[y] = most + (together if runs_on else best[y - 1])
                row[y] += 4 * runs_on
            score, move = max((new_ends[y], 3), (best[y], 2), (new_best[y - 1], 1))
            new_best[y] = score
            row[y] += move
        moves.append(row)
        best, ends = new_best, new_ends
    return _followed(moves, len(a), len(b))


def _followed(moves: list[list[int]], x: int, y: int) -> list[tuple[int, int]]:
    """The matches of an alignment, from the moves that led to its scores."""
    found: list[tuple[int, int]] = []
    runs_on = False
    while x and y:
        move = moves[x - 1][y]
        if runs_on or move & 3 == 3:
            x, y = x - 1, y - 1
            found.append((x, y))
            runs_on = move >= 4
        elif move & 3 == 2:
            x -= 1
        else:
            y -= 1
    return found[::-1]
