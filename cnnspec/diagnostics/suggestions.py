"""Ways out of a finding, as data: what is proposed, its facts, its edits. The sentence is made where it is shown."""

from __future__ import annotations

from cnnspec.record import record, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from cnnspec.diagnostics.edits import Edit


@record
class Kind:
    """What suggestions of one kind propose: a name for programs, and the sentence as a template of the facts."""

    id: str
    words: str


def shown(facts: dict[str, object]) -> dict[str, object]:
    """Facts as sentences name them: a shape is `16 x 5 x 5`, with `_` for a size of any number, a list is one of names."""
    return {key: _shown(value) for key, value in facts.items()}


def _shown(value: object) -> object:
    if value.__class__ is tuple:
        return _shape(value)
    return listing(value) if isinstance(value, list) else value


_LISTED = 60


def listing(names: Iterable[str]) -> str:
    """Names in a sentence: `a`, `b` and `c`; of very many the first, and how many more there are."""
    known = list(names)
    quoted = [f"`{name}`" for name in known[:_LISTED]]
    if len(quoted) < 2:
        return "".join(quoted)
    last = quoted.pop() if len(known) <= _LISTED else f"{len(known) - _LISTED:,} more"
    return ", ".join(quoted) + " and " + last


def _shape(value: object) -> str:
    assert isinstance(value, tuple)
    sizes = ["_" if size is None else str(size) for size in value]
    if len(sizes) == 1:
        return sizes[0]
    return " x ".join(f"({size})" if " " in size else size for size in sizes) or "empty"


NOTE = Kind("note", "{words}")
"""Words alone, for people."""
SPELLING = Kind("spelling", "did you mean `{meant}`?")
"""Facts: `written`, `meant`, and `ties`, all known names that are as near as `meant`, itself included."""
OPTION = Kind("option", 'did you mean "{meant}"?')
"""A misspelt string among several that may be given; facts as those of a name."""
FLATTEN = Kind("flatten", "put `Flatten` in front: it gives {count}")
WRITE = Kind("write", "write `{statement}`")
RENAME = Kind("rename", "rename `{name}` on {where} to `{meant}`")
UNSUPPRESS = Kind("unsuppress", "take `{code}` out of the comment")

NUMBER = Kind("number", "change {what} on {where} from {old} to {new}")
DECLARE = Kind("declare", "declare what arrives")
ANNOTATE = Kind("annotate", "annotate what is there")
INSERT = Kind("insert", "put `{text}` in front of `{statement}` on {where}")
DELETE = Kind("delete", "delete `{statement}` on {where}")
SWAP = Kind("swap", "swap `{statement}` on {where} and `{other}` behind it")
SHORTCUT = Kind("shortcut", "give the residual on {where} a shortcut: `shortcut {{ {text} }}`")
ADD = Kind("add", "give {name} {value} on {where}")
DROP = Kind("drop", "drop `{text}` on {where}")
"""Computed fixes; `then` among their facts is the statement as it is then, `gives` the shape behind it."""


@record
class Suggestion:
    """A way out of a finding. With edits, all of one source, it is a fix that a program can make.

    `sure` is True where nothing else can be meant, such as a misspelling with one candidate: the edits may be made unasked.
    `leads` is True for the first of several that is far likelier than the others: it is made where unsafe fixes are asked for.
    """

    kind: Kind
    facts: dict[str, object]
    edits: tuple[Edit, ...] = ()
    sure: bool = False
    leads: bool = False

    @property
    def message(self) -> str:
        """The sentence."""
        facts = shown(self.facts)
        then, gives = facts.get("then"), facts.get("gives")
        parts = [self.kind.words.format_map(facts), f": `{then}`" if then else "", f" gives {gives}" if gives else ""]
        return "".join(parts)

    def __str__(self) -> str:
        return self.message

    def with_edits(self, edits: tuple[Edit, ...], *, sure: bool) -> Suggestion:
        """The same proposal, as a fix."""
        return replace(self, edits=edits, sure=sure)


def note(words: str) -> Suggestion:
    """Words alone."""
    return Suggestion(NOTE, {"words": words})
