"""Write the indexes of layers and of rules for warnings: `python -m tools.make_index`.

They say which file holds which layer, and what each rule is about, so that a check imports only what a text needs. Tests
compare them with the classes and rules themselves.
"""

from __future__ import annotations

from pathlib import Path

from cnnspec.files import write_atomic

ROOT = Path(__file__).parent.parent / "cnnspec"
LAYERS, RULES = ROOT / "layers" / "_index.py", ROOT / "lint" / "_index.py"
_LAYERS = '''"""Which file defines which layer. Do not edit: python -m tools.make_index writes this file."""

FILES: dict[str, str] = {{
{lines}}}
'''
_RULES = '''"""What each rule is about. Do not edit: python -m tools.make_index writes this file."""

# File: what it looks at, with the code, whether it does so unasked, and the words of which one has to be there.
INDEX: dict[str, dict[str, tuple[str, bool, str]]] = {{
{lines}}}
'''


def layers() -> dict[str, str]:
    """The layers of every file."""
    from cnnspec.layers import Layer
    from cnnspec.resources import load

    for path in sorted(LAYERS.parent.glob("[a-z]*.py")):
        load(f"cnnspec.layers.{path.stem}")
    homes = {name: layer.__module__.rpartition(".") for name, layer in Layer.members.items()}
    return {name: file for name, (package, _, file) in homes.items() if package == "cnnspec.layers"}


def rules() -> dict[str, dict[str, tuple[str, bool, str]]]:
    """The rules of every file, by what they look at."""
    from cnnspec.lint import catalogue, registry

    assert catalogue.RULES
    found: dict[str, dict[str, tuple[str, bool, str]]] = {}
    for (module, kind), rule in sorted(registry.RULES.items()):
        entry = (rule.code.id, rule.code.default or rule.always, rule.needs)
        found.setdefault(module.rpartition(".")[2], {})[kind] = entry
    return found


def main() -> None:
    """Write both."""
    if not LAYERS.is_file():
        write_atomic(LAYERS, _LAYERS.format(lines=""))
    if not RULES.is_file():
        write_atomic(RULES, _RULES.format(lines=""))
    from cnnspec.layers import Layer

    Layer.homes.clear()  # The classes say where they are, whatever an older index says.
    for target, module, index in ((LAYERS, _LAYERS, layers()), (RULES, _RULES, rules())):
        lines = "".join(f"    {name!r}: {entry!r},\n".replace("'", '"') for name, entry in index.items())
        write_atomic(target, module.format(lines=lines))


if __name__ == "__main__":
    main()
