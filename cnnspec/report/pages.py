"""The page of every diagnostic code: what it means and why, a spec that fails, the same spec fixed.

The pages of errors stand in the Markdown files of `diagnostics/pages`, one second-level heading a code; that of a warning
is the docstring of its rule, `lint/rules`. Nothing here is imported by a check.

    python -m cnnspec.report.pages > docs/errors.md
"""

from __future__ import annotations

import os
import re

from cnnspec import diagnostics
from cnnspec.lint.catalogue import CODES, RULES
from cnnspec.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from cnnspec.diagnostics import Diagnostic

_FENCE = re.compile(r"^```(?:cnn|python) (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@record
class Page:
    """One page. `failing` and `fixed` are None for a code that no spec alone leads to; `files` can be imported by them."""

    code: str
    title: str
    text: str
    failing: str | None
    fixed: str | None
    files: dict[str, str]
    python: bool = False
    """Whether the examples are Python source instead of specs."""


def pages() -> dict[str, Page]:
    """Every page under its code, in the order of the codes."""
    found: dict[str, Page] = {}
    for text in _texts():
        for part in text.split("\n## ")[1:]:
            page = _page(part)
            found[page.code] = page
    return dict(sorted(found.items()))


def _texts() -> list[str]:
    folder = os.path.join(os.path.dirname(diagnostics.__file__), "pages")
    texts = []
    for name in sorted(os.listdir(folder)):
        if name.endswith(".md"):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                texts.append(file.read())
    return [*texts, _warnings()]


def _warnings() -> str:
    """The pages of all rules as one Markdown document."""
    parts = ["# Warnings about networks"]
    for name in sorted(RULES):
        rule = RULES[name]
        title, _, text = rule.page.partition("\n")
        off = "" if rule.code.default else " (off by default)"
        parts.append(f"## {title}{off}\n\n{_unwrapped(text).strip()}")
    return "\n\n".join(parts)


def _unwrapped(text: str) -> str:
    """Paragraphs on one line each; examples as they are."""
    parts = re.split(r"(^```.*?^```$)", text, flags=re.MULTILINE | re.DOTALL)
    return "".join(part if part.startswith("```") else re.sub(r"(?<=\S)\n(?=\S)", " ", part) for part in parts)


def _page(part: str) -> Page:
    head, _, body = part.partition("\n")
    code, _, title = head.partition(" ")
    specs = dict(_FENCE.findall(body))
    failing, fixed = specs.pop("fails", None), specs.pop("fixed", None)
    python = "```python fails" in body
    return Page(code, title, _FENCE.sub("", body).strip(), failing, fixed, specs, python)


def show(page: Page) -> str:
    """A page as a terminal shows it."""
    code = CODES[page.code]
    parts = [f"{code.severity}[{page.code}]: {page.title}", page.text]
    parts += [f"{name}:\n\n{_indent(text)}" for name, text in page.files.items()]
    if page.failing is not None and page.fixed is not None:
        parts += [f"Fails:\n\n{_indent(page.failing)}", f"Fixed:\n\n{_indent(page.fixed)}"]
    if not code.default:
        parts.append(f"Off by default: `--select {page.code}` asks for it.")
    return "\n\n".join(parts)


def shown_of(findings: Iterable[Diagnostic]) -> dict[str, str]:
    """The pages of the codes of some findings, as `show` has them."""
    known = pages()
    return {code: show(known[code]) for code in sorted({found.code.id for found in findings}) if code in known}


def _indent(text: str) -> str:
    return "\n".join(f"    {line}".rstrip() for line in text.rstrip("\n").split("\n"))


def document() -> str:
    """All pages as one Markdown document: docs/errors.md."""
    origin = "Made from cnnspec/diagnostics/pages and cnnspec/lint/rules; `cnnspec explain CODE` shows one of them."
    parts = [f"# Errors and warnings\n\n{origin}"]
    for text in _texts():
        text = text.replace("\n## ", "\n### ")
        text = re.sub(r"\A# ", "## ", text)
        text = re.sub(r"^```(?:cnn|python) fails$", "Fails:\n\n```", text, flags=re.MULTILINE)
        text = re.sub(r"^```(?:cnn|python) fixed$", "Fixed:\n\n```", text, flags=re.MULTILINE)
        parts.append(re.sub(r"^```cnn (\S+)$", r"`\1`:\n\n```", text, flags=re.MULTILINE).strip())
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    print(document(), end="")
