"""A network as a Mermaid flowchart, for README files and wikis that draw them."""

from __future__ import annotations

from cnnspec.backends.draw.canvas import PALETTE, role_of
from cnnspec.backends.draw.fold import Alike, opened, repeats
from cnnspec.backends.draw.items import BLOCK, BRANCHES, INPUT, LAYER, LEARNT, REPEAT, VALUE, Item
from cnnspec.backends.draw.view import view
from cnnspec.backends.draw.words import riders_of, show
from cnnspec.diagnostics.render import clean
from cnnspec.graph.nodes import ARRIVING, STEP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from cnnspec.backends.draw.items import Source
    from cnnspec.graph.nodes import Graph

BUDGET = 30
_SIGNS = {"add": "+", "multiply": "×", "concat": "concat", "matmul": "@", "tuple": "tuple"}


def draw_mermaid(graph: Graph, *, depth: int | None = None, wanted: Collection[str] = ()) -> str:
    """The text of a flowchart from top to bottom."""
    alike = Alike()
    items = repeats(view(graph).items, alike)
    chart = _Chart(opened(items, alike, budget=BUDGET, depth=depth, wanted=wanted))
    chart.body(items, ())
    styles = [
        f"classDef {role} fill:{PALETTE[f'{role}-box'][0]},stroke:{PALETTE[f'{role}-line'][0]},color:{PALETTE['ink'][0]}"
        for role in sorted(chart.roles)
    ]
    title = f"---\ntitle: {_words(graph.name)}\n---\n"
    return title + "\n".join(["flowchart TB", *(f"    {line}" for line in [*chart.lines, *styles])]) + "\n"


class _Chart:
    def __init__(self, shown: set[str]) -> None:
        self.shown = shown
        self.lines: list[str] = []
        self.roles: set[str] = set()
        self.ends: dict[str, list[str]] = {}
        """The boxes behind which the value of each path is."""
        self.count = 0

    def body(self, items: Sequence[Item], arriving: Iterable[str]) -> list[str]:
        """Write the items of a body, and give the boxes behind which its value is."""
        found = list(arriving)
        for item in items:
            sources = self.sources(item.feed, arriving)
            found = self.item(item, sources)
            for path in (item.value, *item.paths):
                self.ends.setdefault(path, found)
            for extra in self.sources(item.extra, ()):
                for end in found[:1]:
                    self.link(extra, end, "-.->")
        return found

    def sources(self, sources: Iterable[Source], arriving: Iterable[str]) -> list[str]:
        found: list[str] = []
        for source in sources:
            if source.kind == ARRIVING:
                found += arriving
            elif source.kind == STEP:
                found += self.ends.get(source.path) or self._around(source.path)
        return list(dict.fromkeys(found))

    def _around(self, path: str) -> list[str]:
        """The boxes of the last thing inside of a path, or of what is around it."""
        for known in reversed(self.ends):
            if known.startswith(f"{path}.") or path.startswith(f"{known}."):
                return self.ends[known]
        return []

    def item(self, item: Item, sources: list[str]) -> list[str]:
        if item.form == BRANCHES and item.value in self.shown and not item.again:
            return self.branches(item, sources)
        if item.form in (BLOCK, REPEAT) and (item.form == REPEAT or item.value in self.shown) and not item.again:
            name = f"×{item.copies}" if item.form == REPEAT else " ".join(filter(None, [item.label, item.name]))
            self.count += 1
            self.lines.append(f'subgraph s{self.count}["{_words(name)}"]')
            found = self.body(item.items, sources)
            self.lines.append("end")
            return found
        box = self.box(item)
        for source in sources:
            self.link(source, box)
        return [box]

    def branches(self, item: Item, sources: list[str]) -> list[str]:
        ends = [self.body(body.items, sources) for body in item.branches]
        if item.kind == "tuple":
            return [end for some in ends for end in some]
        after = riders_of(item)[1]
        self.count += 1
        merge = f"n{self.count}"
        told = " ".join(filter(None, [_SIGNS[item.kind], after]))
        self.lines.append(f'{merge}(["{_words(told)}<br>{show(item.output)}"])')
        for some in ends:
            for end in some:
                self.link(end, merge)
        return [merge]

    def box(self, item: Item) -> str:
        self.count += 1
        name = f"n{self.count}"
        before, after = riders_of(item)
        told = f"{item.layers} layers" if item.form in (BLOCK, BRANCHES) else item.arguments
        title = " ".join(filter(None, ["↻" if item.again else "", item.label or "", f"<b>{_words(item.name)}</b>"]))
        lines = [before, title, told, after, show(item.output)]
        text = "<br>".join(line if line is title else _words(line) for line in lines if line)
        role = role_of(item.role if item.form == LAYER else "")
        self.roles.add(role)
        left, right = ("([", "])") if item.form in (INPUT, LEARNT, VALUE) else ("[", "]")
        self.lines.append(f'{name}{left}"{text}"{right}:::{role}')
        return name

    def link(self, source: str, target: str, arrow: str = "-->") -> None:
        line = f"{source} {arrow} {target}"
        if line not in self.lines:
            self.lines.append(line)


def _words(text: str) -> str:
    """Text without what means something to Mermaid."""
    return clean(text).replace("&", "#amp;").replace('"', "#quot;").replace("<", "#lt;").replace(">", "#gt;")
