"""The memory of a training step as text: its course as a picture of characters, where it goes, and the largest batch."""

from __future__ import annotations

from cnnspec.analysis.memory import Memory, evaluation, training_step
from cnnspec.backends.summary import title_of
from cnnspec.backends.summary_text import size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from cnnspec.graph.nodes import Graph

LINES, COLUMNS = 12, 64
MOST = 10**9
"""The largest batch that is looked for."""
_BLOCKS = " ▁▂▃▄▅▆▇█"


def show(
    graph: Graph, batch: int, optimizer: str, dtype: str, limit: tuple[int, str] | None = None, width: int | None = None
) -> str:
    """What a step of training takes, and the largest batch within a limit: bytes, and how one writes them."""
    graph = graph.numbers
    step = training_step(graph, batch, optimizer=optimizer, dtype=dtype)
    samples = f"{batch} sample{'' if batch == 1 else 's'}"
    head = f"{title_of(graph)}: a training step of {samples} with {optimizer} in {dtype} takes {size(step.peak)}"
    lines = [head, "", *course(step, min(COLUMNS, max((width or COLUMNS + 12) - 12, 16))), ""]
    where = f" at `{step.peak_at}`" if step.peak_at else ""
    parts = [
        ("parameters", step.parameters), ("buffers", step.buffers), ("gradients", step.gradients),
        ("optimizer", step.optimizer), ("inputs and targets", step.inputs), ("kept for the way back", step.activations),
    ]  # fmt: skip
    lines += [f"{name:<22}{size(count):>10}" for name, count in parts if count]
    lines += [f"{'peak':<22}{size(step.peak):>10}  in the {step.peak_phase} phase{where}"]
    lines += [f"{'peak in evaluation':<22}{size(evaluation(graph, batch, dtype=dtype).peak):>10}"]
    if limit is not None:
        lines += ["", fitting(graph, optimizer, dtype, *limit)]
    return "\n".join(lines)


def fitting(graph: Graph, optimizer: str, dtype: str, limit: int, shown: str) -> str:
    """The largest batch within a limit, in words."""
    found = largest_batch(lambda batch: training_step(graph, batch, optimizer=optimizer, dtype=dtype).peak, limit)
    if found is None:
        one = training_step(graph, 1, optimizer=optimizer, dtype=dtype)
        return f"not even one sample fits into {shown}: it takes {size(one.peak)}"
    if found >= MOST:
        return f"any batch fits into {shown}"
    peak = training_step(graph, found, optimizer=optimizer, dtype=dtype).peak
    return f"the largest batch that fits into {shown} has {found:,} samples and takes {size(peak)}"


def largest_batch(peak: Callable[[int], int], limit: int) -> int | None:
    """The largest batch whose peak is within a limit, None where one sample is too many.

    A peak is the largest of sums that grow with the batch: going down from a batch that is too large by the slope there never
    goes too far.
    """
    first = peak(1)
    if first > limit:
        return None
    batch = 2
    while batch < MOST and peak(batch) <= limit:
        batch *= 2
    batch = min(batch, MOST)
    here = peak(batch)
    while here > limit:
        slope = max(here - peak(batch - 1), 1)
        batch -= max(-(-(here - limit) // slope), 1)
        here = peak(batch)
    return batch


def course(step: Memory, columns: int = COLUMNS, lines: int = LINES) -> list[str]:
    """The bytes in use during a step, from left to right, with its phases below."""
    places = [(phase, high) for phase, _, _, high in step.course]
    columns = min(columns, max(len(places), 1))
    highs, phases = [], []
    for column in range(columns):
        part = places[column * len(places) // columns : max((column + 1) * len(places) // columns, 1)]
        highs.append(max((high for _, high in part), default=0))
        phases.append(part[0][0] if part else "")
    top = max([*highs, 1])
    shown = []
    for line in range(lines, 0, -1):
        label = size(top * line // lines) if line in (lines, lines // 2) else ""
        row = "".join(_BLOCKS[min(max(round((high * lines / top - line + 1) * 8), 0), 8)] for high in highs)
        shown.append(f"{label:>10} {row.rstrip()}")
    return [*shown, f"{'0':>10} {_phases(phases)}"]


def _phases(phases: list[str]) -> str:
    """The name of each phase below the place where it begins, as far as there is room."""
    shown, place = "", 0
    while place < len(phases):
        end = place
        while end < len(phases) and phases[end] == phases[place]:
            end += 1
        shown += f"|{phases[place]}"[: end - place].ljust(end - place)
        place = end
    return shown.rstrip()
