"""Write the schemas in `cnnspec/schemas` from the models of the documents.

    python -m tools.make_schemas

A test fails where a schema and its model differ.
"""

from __future__ import annotations

import json
from pathlib import Path

from cnnspec.backends.graph_document import GraphForm
from cnnspec.files import write_atomic
from cnnspec.report.documents import DOCUMENTS, Document

FOLDER = Path(__file__).parent.parent / "cnnspec" / "schemas"


def schema_of(document: type[Document]) -> str:
    """The schema of a document, as it is published. What may be left out is left out: it is never null."""
    schema = document.model_json_schema()
    for field in schema["properties"].values():
        if {"type": "null"} in field.get("anyOf", ()):
            (kind,) = [one for one in field.pop("anyOf") if one != {"type": "null"}]
            field.pop("default")
            field.update(kind)
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def graph_schema() -> str:
    """The schema of the document that a graph is exported as."""
    return json.dumps(GraphForm.model_json_schema(), indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    for name, document in DOCUMENTS.items():
        write_atomic(FOLDER / f"{name}.schema.json", schema_of(document))
    write_atomic(FOLDER / "graph.schema.json", graph_schema())


if __name__ == "__main__":
    main()
