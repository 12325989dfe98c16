"""The documents of the repository agree with it: rooms, links, commands, and the lists of the pre-commit configuration."""

from __future__ import annotations

import re
import shutil
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from cnnspec.cli.main import main
from tests.test_architecture import RANK

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def test_the_table_of_rooms_is_the_tree():
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ((?:`[a-z_]+/?`(?:, )?)+) \|", text, re.MULTILINE)
    listed = [name for row in rows for name in re.findall(r"`([a-z_]+)/?`", row)]
    assert len(listed) == len(set(listed))
    assert [RANK[name] for name in listed] == sorted(RANK[name] for name in listed), "in the order of the imports"
    files = (ROOT / "cnnspec").iterdir()
    rooms = {path.stem for path in files if path.suffix == ".py" or (path / "__init__.py").is_file()}
    assert rooms - {"__init__", "__main__", "_version"} <= set(listed)
    assert set(RANK) - {"_version"} == set(listed)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(path: Path):
    for target in LINK.findall(path.read_text(encoding="utf-8")):
        if not target.startswith(("http:", "https:", "mailto:")):
            assert (path.parent / target).exists(), target


@pytest.mark.parametrize("path", sorted((ROOT / "docs").rglob("*.svg")), ids=lambda path: path.name)
def test_pictures_are_drawings_without_scripts(path: Path):
    root = ElementTree.parse(path).getroot()
    assert root.get("viewBox")
    assert not [element for element in root.iter() if element.tag.endswith("script")]


def test_the_hooks_of_the_project_itself():
    yaml = pytest.importorskip("yaml")
    (repository,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    commands = {hook["id"]: hook["entry"].split() for hook in repository["hooks"]}
    for command in commands.values():
        beside = Path(sys.executable).parent / command[0]
        assert shutil.which(command[0]) or beside.is_file() or (ROOT / command[0]).is_file(), command
    for name in ("cnnspec-fmt", "cnnspec-check"):
        python, m, package, *arguments = commands[name]
        assert (python, m, package) == ("python", "-m", "cnnspec")
        check = ["--check"] if name == "cnnspec-fmt" else []
        assert main([*arguments, *check, str(ROOT / "specs" / "lenet.cnn")]) == 0
