"""The table of all settings in docs/training.md, made from the one that reads them: `python -m tools.make_settings_table`."""

from __future__ import annotations

import re
from pathlib import Path

from cnnspec.declare import Declared, Kind, spell
from cnnspec.recipe.component import spelled
from cnnspec.recipe.settings import SETTINGS, Setting

PAGE = Path(__file__).parent.parent / "docs" / "training.md"
BEGIN, END = "<!-- settings: made by tools/make_settings_table.py -->\n", "<!-- end of settings -->\n"


def table() -> str:
    """A row a setting: name, what it takes, default, meaning."""
    lines = ["| setting | takes | default | meaning |", "| --- | --- | --- | --- |"]
    for name, setting in SETTINGS.items():
        value = setting.default
        default = spelled(value) if isinstance(value, Declared) else "[]" if setting.many else spell(value)
        takes = _taken(setting).replace("|", "\\|")
        lines.append(f"| `{name}` | {takes} | `{default}` | {setting.meaning} |")
    return "\n".join(lines) + "\n"


def _taken(setting: Setting) -> str:
    if isinstance(setting.takes, Kind):
        return setting.takes.describe(0)
    names = " ".join(setting.takes)
    return f"a list of {names}" if setting.many else f"one of {names}"


def page_with_table(page: str) -> str:
    """The page with the table of now."""
    return re.sub(f"{re.escape(BEGIN)}.*?{re.escape(END)}", lambda _: f"{BEGIN}{table()}{END}", page, flags=re.DOTALL)


if __name__ == "__main__":
    PAGE.write_text(page_with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
