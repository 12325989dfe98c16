"""A build of the package fails where the parser's tables were made from another grammar than the one that it ships."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface  # type: ignore[import-not-found]


class TablesHook(BuildHookInterface):  # type: ignore[misc]
    """Runs before anything is packed."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        root = Path(self.root)
        grammar = root.joinpath("grammars", "cnn.lark").read_text(encoding="utf-8")
        digest = hashlib.sha256(grammar.encode()).hexdigest()
        if f"GRAMMAR = {digest!r}" not in root.joinpath("cnnspec", "syntax", "_tables.py").read_text(encoding="utf-8"):
            raise ValueError("_tables.py is not made from grammars/cnn.lark: run python -m tools.make_tables")
