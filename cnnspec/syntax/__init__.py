"""From the text of a spec to its tree.

In a checkout the tables of the parser are made anew where the grammar has changed since; an installed package never does.
"""

from __future__ import annotations

import os


def _refresh() -> None:
    """Compare the dates of the grammar and of the tables made from it: one look at a folder where all is well."""
    tables = os.path.join(os.path.dirname(__file__), "_tables.py")
    root = os.path.dirname(os.path.dirname(os.path.dirname(__file__)))
    maker = os.path.join(root, "tools", "make_tables.py")
    try:
        newer = os.stat(os.path.join(root, "grammars", "cnn.lark")).st_mtime > os.stat(tables).st_mtime
    except OSError:
        return
    if newer and os.path.isfile(maker) and os.access(tables, os.W_OK) and os.access(os.path.dirname(tables), os.W_OK):
        from importlib.util import module_from_spec, spec_from_file_location

        spec = spec_from_file_location("cnnspec_make_tables", maker)
        assert spec is not None
        assert spec.loader is not None
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        module.refresh()


_refresh()
