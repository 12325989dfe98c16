"""A recipe that does not fit its model."""

from __future__ import annotations

from cnnspec.diagnostics import Edit
from cnnspec.diagnostics.suggestions import Kind
from cnnspec.recipe.datasets import DATA_SETS
from cnnspec.repair.candidates import every_site, number
from cnnspec.repair.case import Candidate, Case
from cnnspec.repair.situations.base import situation
from cnnspec.source import Span
from cnnspec.syntax import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

IMAGES = Kind("images of the data", "take the images as they are{also}: `input {shape}`")
GREY = Kind("channels of pictures", "read the pictures {how}: `channels={count}`")


@situation
def other_channels(case: Case) -> Iterator[Candidate]:
    """Pictures of a folder, read with another number of channels than the model takes."""
    found, wanted = case.found.facts.get("found"), case.found.facts.get("wanted")
    if case.found.code.id != "E503" or not isinstance(found, tuple) or not isinstance(wanted, tuple):
        return
    call = _data(case)
    if call is None or not found or not wanted or found[0] == wanted[0] or wanted[0] not in (1, 3):
        return
    name = call.name.id if isinstance(call, tree.Call) else call.id
    kind = DATA_SETS.get(name)
    if kind is None or "channels" not in kind.fields:
        return
    text = f"channels={wanted[0]}"
    end = call.span.end
    if isinstance(call, tree.Call):
        edit = Edit(Span(call.span.source, end - 1, end - 1), f", {text}" if call.arguments else text)
        given = next((one for one in call.arguments if one.name is not None and one.name.id == "channels"), None)
        edit = Edit(given.value.span, str(wanted[0])) if given is not None else edit
    else:
        edit = Edit(Span(call.span.source, end, end), f"({text})")
    how = "as grey" if wanted[0] == 1 else "in colour"
    yield Candidate(-2.0, GREY, {"how": how, "count": wanted[0]}, (edit,), "channels")


@situation
def other_images(case: Case) -> Iterator[Candidate]:
    """An input that is not what the data set holds."""
    found, wanted, given = case.found.facts.get("found"), case.found.facts.get("wanted"), case.input()
    if case.found.code.id != "E503" or not isinstance(found, tuple) or not isinstance(wanted, tuple) or given is None:
        return
    items = given[1].shape.items
    if len(items) != len(found) or len(found) != len(wanted):
        return
    texts = [
        item.span.text if now.__class__ is not int or now == there else str(there)
        for item, now, there in zip(items, wanted, found)
    ]
    text = f"[{', '.join(texts)}]"
    # Where an augmentation makes another size of them, it is rather that which was not meant.
    cost = -1.0 if _data(case) is not None else 0.9
    yield Candidate(cost, IMAGES, {"shape": text}, (Edit(given[1].shape.span, text),), "input", goes_on=True)


@situation
def other_classes(case: Case) -> Iterator[Candidate]:
    """As many outputs as there are classes: the number that the last layer gets, wherever it is written."""
    classes, output = case.found.facts.get("classes"), case.found.facts.get("output")
    if case.found.code.id != "E504" or not isinstance(classes, int):
        return
    for away, site in every_site(case):
        if site.node.value == output and (site.uses | {site.field}) & _OUTPUTS:
            yield number(case, site, classes, away - 1.0)


_OUTPUTS = {"out_features", "out_channels"}


def _data(case: Case) -> tree.Call | tree.Name | None:
    """What the recipe names as its data, where the error is there."""
    for recipe in case.trials.file.recipes:
        for setting in recipe.settings:
            span, at = setting.span, case.found.span
            if setting.name.id == "data" and span.source is at.source and span.start <= at.start and at.end <= span.end:
                return setting.value if isinstance(setting.value, (tree.Call, tree.Name)) else None
    return None
