"""The documentation as a site: anchors that links name, pages made of classes; built whole with CNNSPEC_FULL=1."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from cnnspec import layers
from cnnspec.cli.main import COMMANDS
from tests.browser import needs_browser
from tests.sampling import FULL
from tests.test_docs import PAGES
from tools import make_docs, reference_pages

ROOT = Path(__file__).parent.parent
LINK = re.compile(r"\]\(([^)#\s]*)#([^)\s]+)\)")
HEADING = re.compile(r"^#{1,4} +(.+)$", re.MULTILINE)


def anchors(path: Path) -> set[str]:
    """What links into a page may name, as GitHub and the site make it of headings."""
    text = re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in HEADING.findall(text)}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_anchors_lead_somewhere(path: Path):
    for target, anchor in LINK.findall(path.read_text(encoding="utf-8")):
        if not target.startswith(("http:", "https:")):
            page = (path.parent / target).resolve() if target else path
            assert anchor in anchors(page), f"{target}#{anchor}"


def test_every_layer_has_its_section_and_most_a_picture():
    pages = reference_pages.layer_pages()
    sections = {name for text in pages.values() for name in re.findall(r"^## (\w+)$", text, re.MULTILINE)}
    assert sections == set(layers.names())
    drawn = {Path(path).stem for path in pages if path.endswith(".svg")}
    assert len(drawn) > 0.9 * len(sections)
    conv = pages["reference/layers/conv.md"]
    assert "- height: ⌊(28 + 2·0 − 3) / 1⌋ + 1 = **26**" in conv
    assert "| `padding_mode` |" in conv


def test_every_command_every_choice_and_every_schema_is_told():
    options = reference_pages.options_page()
    assert all(f"\n## cnnspec {name}\n" in options for name in COMMANDS)
    settings = reference_pages.settings_page()
    for name in ("Adam(lr=0.001", "ImageFolder(path", "CrossEntropyLoss(", "OneCycleLR("):
        assert f"- `{name}" in settings
    schemas = reference_pages.schemas_page()
    assert "## check.schema.json" in schemas
    assert "| `format_version` |" in schemas


def test_links_are_led_to_where_the_site_has_their_targets():
    def led(link: str, page: str = "docs/language.md") -> str:
        return make_docs.with_links(f"[x]({link})", ROOT / page).removeprefix("[x](").removesuffix(")")

    assert led("../specs/lenet.cnn") == "reference/networks/lenet.md"
    assert led("../specs/") == "reference/networks/index.md"
    assert led("../CONTRIBUTING.md") == "project/CONTRIBUTING.md"
    assert led("training.md#settings") == "training.md#settings"
    assert led("docs/sizes.md", "CHANGELOG.md") == "../sizes.md"
    assert led("../../examples/course.ipynb", "docs/howto/class.md") == "../files/examples/course.ipynb"
    assert led("https://example.org/a") == "https://example.org/a"
    assert make_docs.with_links("```text\n[x](../specs/)\n```", ROOT / "docs" / "a.md").count("../specs/") == 1


@needs_browser
@pytest.mark.skipif(not FULL, reason="the whole site is built with CNNSPEC_FULL=1, and by tools/check")
def test_the_site_is_built_without_warnings_and_searches_from_the_disk(tmp_path: Path):
    for name in ("sphinx", "myst_parser", "furo"):
        pytest.importorskip(name)
    sources, target = tmp_path / "sources", tmp_path / "site"
    make_docs.stage(sources)
    assert make_docs.build(sources, target) == 0
    for page in target.rglob("*.html"):
        assert not re.search(r'<(?:script|link|img)[^>]+(?:src|href)="https?:', page.read_text(encoding="utf-8")), page
    assert found_in_browser(target, "padding")
    broken = sources / "language.md"
    broken.write_text(broken.read_text(encoding="utf-8") + "\n[x](training.md#no-such-anchor)\n", encoding="utf-8")
    shutil.rmtree(target)
    assert make_docs.build(sources, target) != 0


def found_in_browser(site: Path, word: str) -> str:
    """What the search of the site finds, opened from the disk."""
    import subprocess

    from tests.browser import BROWSER

    assert BROWSER is not None
    page = f"{(site / 'search.html').as_uri()}?q={word}"
    command = [
        BROWSER,
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--virtual-time-budget=8000",
        "--dump-dom",
        page,
    ]
    run = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
    found = re.search(r'<ul[^>]* class="search"[^>]*>.*?</ul>', run.stdout, re.DOTALL)
    return found[0] if found and "<li" in found[0] else ""
