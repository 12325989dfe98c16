"""The style `blocks` as steps: which blocks are opened, which neighbours are one stage, and what each is called."""

from __future__ import annotations

from cnnspec.backends.draw.errors import error_of
from cnnspec.backends.draw.fold import sizes_of
from cnnspec.backends.draw.items import BLOCK, BRANCHES, INPUT, LAYER, LEARNT, MERGE, REPEAT, VALUE, Item
from cnnspec.backends.draw.riders import ride
from cnnspec.backends.draw.view import placed
from cnnspec.backends.draw.words import short_name
from cnnspec.layers.base import Parts
from cnnspec.record import record, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from cnnspec.graph.nodes import Shape

BUDGET = 17
GENERIC = ("residual", "add", "multiply", "concat", "matmul", "tuple")
"""Names of branches that no block has given another."""
_UNIT = 4
"""Items in a block with branches up to which it is a unit, which is drawn once in an inset rather than opened."""


@record
class Step:
    """An operation and the value behind it. `feed` and `extra` are numbers of steps; an input has neither."""

    items: tuple[Item, ...]
    title: str
    lines: tuple[str, ...]
    before: tuple[str, ...]
    after: tuple[str, ...]
    feed: tuple[int, ...] = ()
    extra: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    """What the extra values are called."""
    error: str = ""
    """What is wrong, in a few words."""

    @property
    def first(self) -> Item:
        return self.items[0]

    @property
    def output(self) -> Shape | Parts | None:
        return self.items[-1].output

    @property
    def input(self) -> Shape | Parts | None:
        return self.items[0].input

    @property
    def role(self) -> str:
        """What made the value: the operation, or what a folded block mostly does."""
        return self.first.role if self.first.form == LAYER else dominant(self.first)

    @property
    def folded(self) -> bool:
        """Whether it is a block that is not opened."""
        return self.first.form in (BLOCK, BRANCHES, REPEAT)

    @property
    def copies(self) -> int:
        """How many values stand there touching; a folded block has one."""
        return 1 if self.folded else len(self.items)


def dominant(item: Item) -> str:
    """The role of the layers that hold most of the parameters of an item."""
    weights: dict[str, int] = {}

    def add(one: Item) -> None:
        if one.form == LAYER and one.role in ("conv", "up", "dense", "attention", "pool"):
            weights[one.role] = weights.get(one.role, 0) + 1 + one.parameters
        for inner in one.inside:
            add(inner)

    add(item)
    return max(weights, key=lambda role: weights[role]) if weights else ""


def fork_in(item: Item) -> Item | None:
    """The first branches in an item."""
    if item.form == BRANCHES:
        return item
    return next((found for inner in item.inside if (found := fork_in(inner)) is not None), None)


# --- opening ---


def chain(
    items: Sequence[Item],
    *,
    budget: int = BUDGET,
    wanted: Collection[str] = (),
    errors: Mapping[str, str] | None = None,
    loose: bool = False,
) -> list[Step]:
    """The steps of a model, from the items of its view; with `loose`, blocks of one height and width are one stage."""
    current = [item for item in items if item.form != LEARNT]
    names = _names(current)
    while True:
        for item in current:
            if item.form != BLOCK or not item.items or not (_may_open(item, current, names) or _asked(item, wanted)):
                continue
            alike = [one for one in current if one.form == BLOCK and one.name == item.name and not one.again]
            after = [inner for one in current for inner in (_spliced(one) if one in alike else [one])]
            tight, slack = stages(after), stages(after, loose=True)
            if _asked(item, wanted) or min(len(tight), len(slack)) <= budget:
                loose = loose or len(tight) > budget
                current = after
                break
        else:
            current = ride(_exploded(current), ())
            return _steps(stages(current, loose=loose), errors or {})


def _asked(item: Item, wanted: Collection[str]) -> bool:
    return any(path == item.path or path.startswith(f"{item.path}.") for path in wanted)


def _names(items: Sequence[Item]) -> dict[str, int]:
    """How often blocks of each name stand anywhere."""
    found: dict[str, int] = {}
    for item in items:
        if item.form in (BLOCK, BRANCHES) and not item.again:
            found[item.name] = found.get(item.name, 0) + 1
        for name, count in _names(list(item.inside)).items():
            found[name] = found.get(name, 0) + count
    return found


def _may_open(item: Item, current: Sequence[Item], names: dict[str, int]) -> bool:
    """A name is opened everywhere or nowhere; one that stands for units with branches never."""
    inside = list(item.inside)
    if len(inside) <= _UNIT and any(one.form == BRANCHES for one in inside):
        return False
    if any(one.again or one.form in (LEARNT, VALUE) for one in (item, *inside)) or isinstance(item.input, Parts):
        return False
    alike = [one for one in current if one.form == BLOCK and one.name == item.name and not one.again]
    if len(alike) < names[item.name]:
        return False
    return len(alike) == 1 or not any(fork_in(one) for one in alike)


def _spliced(block: Item) -> list[Item]:
    """The items of a block in the body around it."""
    items = [placed(item, block.feed, block.extra) for item in block.items]
    inner, outer = items[-1].value, block.value
    return [replace(items[-1], value=outer) if item is items[-1] else _renamed(item, inner, outer) for item in items]


def _renamed(item: Item, inner: str, outer: str) -> Item:
    feed = tuple(replace(one, path=outer) if one.path == inner else one for one in item.feed)
    extra = tuple(replace(one, path=outer) if one.path == inner else one for one in item.extra)
    return replace(item, feed=feed, extra=extra)


_OUTPUTS = 14
"""Items in the branches of a last tuple up to which they are drawn as chains of their own."""


def _ends(items: Sequence[Item], path: str) -> bool:
    """Whether a value is the end of a chain: nothing but the last item takes it."""
    return not any(source.path == path for item in items[:-1] for source in (*item.feed, *item.extra))


def _exploded(items: list[Item]) -> list[Item]:
    """The branches of a tuple at the end as steps of their own: the outputs of the model."""
    if not items:
        return items
    last = items[-1]
    if last.form == VALUE and all(source.part < 0 and _ends(items, source.path) for source in last.feed):
        return items[:-1]
    if last.form != BRANCHES or last.kind != "tuple" or last.after:
        return items
    if sum(max(1, len(body.items)) for body in last.branches) > _OUTPUTS:
        return items
    found: list[Item] = []
    for body in last.branches:
        inside = [placed(item, last.feed, last.extra) for item in body.items]
        if not inside or inside[0].form == VALUE:
            continue
        if body.label and len(inside) == 1:
            inside = [replace(inside[0], label=body.label)]
        found += inside
    return [*items[:-1], *found]


# --- stages ---


def stages(items: Sequence[Item], *, loose: bool = False) -> list[list[Item]]:
    """Neighbours of one name and output are one stage; with `loose`, blocks of one height and width are."""
    uses: dict[str, int] = {}
    for item in items:
        for source in (*item.feed, *item.extra):
            uses[source.path] = uses.get(source.path, 0) + 1
    found: list[list[Item]] = []
    for item in items:
        before = found[-1][-1] if found else None
        if (
            before is not None
            and uses.get(before.value) == 1
            and item.follows(before)
            and _one(before, item, loose=loose)
        ):
            found[-1].append(item)
        else:
            found.append([item])
    return found


def _one(before: Item, item: Item, *, loose: bool) -> bool:
    """Whether two neighbours are of one stage."""
    blocks = (BLOCK, BRANCHES)
    kinds = (before.form == item.form == LAYER) or (before.form in blocks and item.form in blocks)
    if not kinds or before.name != item.name or item.extra or item.again or item.role == "pool":
        return False
    if not isinstance(item.output, tuple) or sizes_of(before) != sizes_of(item) or len(item.output) < 2:
        return before.output == item.output and before.form != LAYER
    if item.form == LAYER:
        return before.output == item.output and before.brief == item.brief and not item.before
    return loose or before.output == item.output


def _steps(groups: list[list[Item]], errors: Mapping[str, str]) -> list[Step]:
    found: list[Step] = []
    where: dict[str, int] = {}
    for number, group in enumerate(groups):
        step = _named(group)
        sources = [_find(where, source.path) for source in group[0].feed]
        extra = [(_find(where, source.path), source.name) for source in group[0].extra]
        found.append(
            replace(
                step, feed=tuple(dict.fromkeys(one for one in sources if one is not None)),
                extra=tuple(one for one, _ in extra if one is not None),
                names=tuple(name for one, name in extra if one is not None),
                error=next(filter(None, (error_of(item, errors) for item in group)), ""),
            )
        )  # fmt: skip
        for item in group:
            where[item.value] = number
            where.update(dict.fromkeys(() if item.again else item.paths, number))
    return _outputs_named(found)


def _outputs_named(steps: list[Step]) -> list[Step]:
    """The steps, where of several that end a chain each layer has the name of its output."""
    used = {number for step in steps for number in (*step.feed, *step.extra)}
    ends = [number for number in range(len(steps)) if number not in used]
    if len(ends) < 2:
        return steps
    return [
        replace(step, title=step.first.label, lines=(step.title, *step.lines))
        if number in ends and step.first.form == LAYER and step.first.label and len(step.items) == 1
        else step
        for number, step in enumerate(steps)
    ]


def _find(where: dict[str, int], path: str) -> int | None:
    """The step that gives the value of a path, or the block around it or the last thing in it."""
    if path in where:
        return where[path]
    inside = [number for known, number in where.items() if known.startswith(f"{path}.")]
    around = [number for known, number in where.items() if path.startswith(f"{known}.")]
    return max(inside) if inside else max(around) if around else None


def _named(group: list[Item]) -> Step:
    """A stage under its name, with the lines of its label."""
    first = group[0]
    before, after = (
        tuple(short_name(one.name, one.role) for one in side if one.role != "pool")
        for side in (first.before, first.after)
    )
    if first.form == INPUT:
        return Step((first,), "input", (first.name,) if first.name != "input" else (), (), ())
    if first.form == VALUE:
        return Step((first,), "", (), (), ())
    if first.form in (LAYER, MERGE):
        title = f"{first.name} ×{len(group)}" if len(group) > 1 else first.name
        told = first.brief if first.form == MERGE or first.brief else _told(first)
        return Step(tuple(group), title, tuple(filter(None, [told])), before, after)
    name, count = _unit(group)
    labels = [item.label for item in group if item.label]
    label = _range(labels) if len(labels) > 1 else labels[0] if labels and len(group) == 1 else ""
    told = f"{name} ×{count}" if count > 1 else name
    if first.again:
        told = f"↻ {told}"
    if not label or label == name:
        return Step(tuple(group), told, (), (), after)
    return Step(tuple(group), label, (told,), (), after)


def _range(labels: list[str]) -> str:
    """Several labels by the first and the last; what they begin with stands once: `inception4b–4d`."""
    first, last = labels[0], labels[-1]
    shared = next((at for at, pair in enumerate(zip(first, last)) if pair[0] != pair[1]), 0)
    while shared and not first[:shared][-1].isalpha():
        shared -= 1
    return f"{first}–{last[shared:] or last}"


def _told(item: Item) -> str:
    """Arguments of a layer without a window, where they are short."""
    return item.arguments if item.role in ("attention", "") and len(item.arguments) <= 16 else ""


def _unit(group: list[Item]) -> tuple[str, int]:
    """The name of what a stage consists of, and how often."""
    names: list[str] = []
    for item in group:
        inside = [one.name for one in item.items] if item.form == BLOCK else []
        of_one = len(inside) > 1 and len(set(inside)) == 1 and inside[0] not in GENERIC
        if of_one and all(one.form in (BLOCK, BRANCHES) for one in item.items):
            names += inside
        else:
            names.append(item.name)
    return (names[0], len(names)) if len(set(names)) == 1 else (group[0].name, len(group))
