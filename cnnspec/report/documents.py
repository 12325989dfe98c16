"""The JSON documents that other programs read, as pydantic models: what holds them to their published schemas.

`python -m tools.make_schemas` writes the schemas into `cnnspec/schemas`. Imported where such a document is made, and nowhere
else: a check that prints text does without pydantic.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from typing_extensions import TypeAliasType

_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def _unicode(text: Any) -> Any:
    """Half of a surrogate pair, as a file name or an argument may hold, is no character."""
    return text.encode("utf-8", "replace").decode("utf-8") if isinstance(text, str) else text


Text = Annotated[str, BeforeValidator(_unicode)]
File = Annotated[
    Text,
    Field(description="The path with `/` between its parts, relative to the current folder where it is in there."),
]
CodeName = Annotated[str, Field(pattern="^[EW][0-9]{3}$")]
Count = Annotated[int, Field(ge=0)]
Shape = Annotated[tuple[Count, ...], Field(description="Sizes without the batch.")]
Shapes = TypeAliasType("Shapes", "Shape | tuple[Shapes, ...]")
"""A shape, or where a model has several inputs or outputs the shape of each; a tuple may hold tuples."""


NamedShape = Annotated[
    tuple[int | Text, ...],
    Field(description="Sizes without the batch: numbers, names, and what is made of them, as `H // 2`."),
]
NamedShapes = TypeAliasType("NamedShapes", "NamedShape | tuple[NamedShapes, ...]")


class Document(BaseModel):
    """A part of a document: checked, frozen, without a field that the schema does not know."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


class Position(Document):
    """A place in a text."""

    line: int = Field(ge=1)
    column: int = Field(ge=1, description="Unicode code points, from 1.")
    byte: int = Field(ge=0, description="Bytes of the UTF-8 text in front of it, without a byte order mark.")


class Range(Document):
    """A piece of a text; `end` is the position behind the last character."""

    start: Position
    end: Position


class Place(Document):
    """A piece of a file, and a text about it or for it."""

    file: File
    range: Range
    text: Text


class Fix(Document):
    """A way out of a finding."""

    message: Text
    safe: bool = Field(description="Nothing else can be meant: it may be applied unasked.")
    edits: tuple[Place, ...] = Field(
        description="`text` takes the place of `range`; the ranges count in the text as it was checked."
    )


class Finding(Document):
    """An error or a warning."""

    code: CodeName
    severity: Literal["error", "warning"]
    message: Text = Field(min_length=1)
    file: File
    range: Range
    label: Text = Field(description='What `range` is, or "".')
    labels: tuple[Place, ...] = Field(description="Other places that explain the finding.")
    notes: tuple[Text, ...] = Field(description="The reason.")
    helps: tuple[Text, ...] = Field(description="The way out, the messages of `fixes` among them.")
    fixes: tuple[Fix, ...] = Field(max_length=3)


class Declared(Document):
    """What a model is declared for, by the names of its sizes."""

    sizes: tuple[Text, ...] = Field(description="The names.")
    input: NamedShapes
    output: NamedShapes


class Model(Document):
    """A model that fits together."""

    file: File
    name: Text
    input: Shapes
    output: Shapes
    parameters: int = Field(ge=0, description="Learnable values.")
    declared: Declared | None = Field(
        default=None,
        description="Shapes with the names of the sizes, where the model is for several; `input` and `output` are then "
        "those of the smallest.",
    )


class CheckReport(Document):
    """Format version 1. Its second number grows when fields are added, so readers have to pass over unknown fields."""

    model_config = ConfigDict(
        json_schema_extra={"$schema": _DRAFT, "title": "What `cnnspec check --output-format json` prints"}
    )

    format_version: str = Field(pattern=r"^1\.[0-9]+$")
    valid: bool = Field(description="Whether there is no error. Warnings do not count.")
    error_count: Count
    warning_count: Count
    files: int = Field(ge=1, description="Files that were checked, without those that they import.")
    models: tuple[Model, ...] = Field(description="The models that fit together.")
    diagnostics: tuple[Finding, ...]
    statistics: dict[CodeName, Annotated[int, Field(ge=1)]] | None = Field(
        None, description="How often each code was found; with --statistics."
    )


DOCUMENTS: dict[str, type[Document]] = {"check": CheckReport}
"""The published documents, by the names of their schemas."""
