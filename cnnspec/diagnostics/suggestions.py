"""Ways out of a finding, as data: what is proposed, its facts, its edits. The sentence is made where it is shown."""

from __future__ import annotations

from cnnspec.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.diagnostics.edits import Edit


@record
class Kind:
    """What suggestions of one kind propose: a name for programs, and the sentence as a template of the facts."""

    id: str
    words: str


NOTE = Kind("note", "{words}")
"""Words alone, for people."""
SPELLING = Kind("spelling", "did you mean `{meant}`?")
"""Facts: `written`, `meant`, and `ties`, all known names that are as near as `meant`, itself included."""
OPTION = Kind("option", 'did you mean "{meant}"?')
"""A misspelt string among several that may be given; facts as those of a name."""
FLATTEN = Kind("flatten", "put `Flatten` in front: it gives {count}")
UNSUPPRESS = Kind("unsuppress", "take `{code}` out of the comment")
RENAME = Kind("rename", "rename block `{name}` on line {line} to `{meant}`")


@record
class Suggestion:
    """A way out of a finding. With edits, all of one source, it is a fix that a program can make.

    `sure` is True where nothing else can be meant, such as a misspelling with one candidate: the edits may be made unasked.
    """

    kind: Kind
    facts: dict[str, object]
    edits: tuple[Edit, ...] = ()
    sure: bool = False

    @property
    def message(self) -> str:
        """The sentence."""
        return self.kind.words.format_map(self.facts)

    def __str__(self) -> str:
        return self.message

    def with_edits(self, edits: tuple[Edit, ...], *, sure: bool) -> Suggestion:
        """The same proposal, as a fix."""
        return Suggestion(self.kind, self.facts, edits, sure)


def note(words: str) -> Suggestion:
    """Words alone."""
    return Suggestion(NOTE, {"words": words})
