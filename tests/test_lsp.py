"""The language server: what is computed of a text, and one conversation with the server itself."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from cnnspec import layers
from cnnspec.compiler.functions import FUNCTIONS
from cnnspec.compiler.names import SHAPE_NAMES
from cnnspec.compiler.sizes_of import SIZE_FUNCTIONS
from cnnspec.declare import Kind
from cnnspec.editor import analysis, python, structure
from cnnspec.editor.completion import call_at, completions
from cnnspec.editor.names import Names, Project
from cnnspec.recipe.settings import SETTINGS
from cnnspec.syntax import tree

ROOT = Path(__file__).parent.parent

RIGHT = "model M {\n    input [3, 8, 8]\n    Conv2d(4, 3)\n    ReLU\n}\n"
WRONG = "model M {\n    input [3, 8, 8]\n    Conv2d(4, 3)\n    Lineer(10)\n}\n"


def test_hints_give_the_shape_behind_every_statement():
    found = analysis.analyse("m.cnn", RIGHT).hints
    assert [(one.offset, one.text) for one in found] == [
        (RIGHT.index("\n    ReLU"), "-> [4, 6, 6]"),
        (RIGHT.index("\n}"), "-> [4, 6, 6]"),
    ]


def test_a_stated_shape_needs_no_hint():
    stated = RIGHT.replace("ReLU", "ReLU -> [4, 6, 6]")
    assert len(analysis.analyse("m.cnn", stated).hints) == 1


def test_hover_tells_shapes_parameters_and_the_layer():
    text = hover(RIGHT, RIGHT.index("Conv2d") + 2)
    assert text is not None
    assert text.startswith("`[3, 8, 8]` -> `[4, 6, 6]`, 112 parameters, 3,888 MACs")
    assert "floor((8 - 3) / 1) + 1 = 6" in text
    assert "out_channels" in text


def test_findings_come_with_fixes_where_they_are_asked_for():
    (found,) = [one for one in analysis.analyse("m.cnn", WRONG, fixes=True).diagnostics if one.severity == "error"]
    assert found.span.text.startswith("Lineer")
    assert found.fixes[0].edits[0].text == "Linear"


def test_formatting_leaves_wrong_text():
    assert analysis.formatted("m.cnn", "model M{input[4];Linear( 3 )}") == "model M { input [4]; Linear(3) }\n"
    assert analysis.formatted("m.cnn", "model {") is None


def hover(text: str, offset: int) -> str | None:
    return analysis.hover(analysis.analyse("m.cnn", text), names_of(text), offset)


def test_hover_tells_what_a_code_means():
    text = "model M {\n    input [3, 8, 8]\n    BatchNorm2d(4)\n    ReLU\n}\n"
    found = hover(text, text.index("4)"))
    assert found is not None
    assert "**E203: wrong width**\n\n" in found
    assert "E203" not in (hover(text, text.index("ReLU")) or "")


def test_hover_tells_what_a_name_stands_for():
    text = "# Two of them.\nblock B(n) { Conv2d(n, 3) }\nmodel M { input [3, 8, 8]; B(5) }\n"
    found = hover(text, text.rindex("B(5)"))
    assert found is not None
    assert "block B(n)" in found
    assert "Two of them." in found
    assert "```cnn\nn\n```" in (hover(text, text.index("n, 3")) or "")


def test_a_lens_tells_shapes_and_costs():
    (lens,) = analysis.lenses(analysis.analyse("m.cnn", RIGHT))
    assert (lens.model, lens.text) == ("M", "[3, 8, 8] -> [4, 6, 6]  112 parameters  3,888 MACs")
    assert analysis.lenses(analysis.analyse("m.cnn", WRONG)) == []


# --- names ---


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts without a file are no part of the project that the tests run in."""
    monkeypatch.chdir(tmp_path)


def names_of(text: str) -> Names:
    return Project("m.cnn", text).names


def places(text: str, word: str, at: int = 0) -> list[int]:
    """Where the name is used that stands at the given occurrence of a word."""
    offsets = [match.start() for match in re.finditer(rf"\b{word}\b", text)]
    names = names_of(text)
    found = names.at(offsets[at])
    return [] if found is None else [offsets.index(span.start) for span in names.project.uses(found[1])]


@pytest.mark.parametrize(
    ("text", "word", "groups"),
    [
        ("block B { ReLU }\nmodel M { input [4]; B; B as B2 }", "B", [[0, 1, 2]]),
        ("block B(n) { Linear(n) }\nblock C(n = 2) { Linear(n); B(n=n) }\nmodel M { input [4]; B(n=3) }", "n",
         [[0, 1, 4, 6], [2, 3, 5]]),
        ("let n = 3\nmodel M { input [4]; Linear(n); let n = 4; Linear(n) }", "n", [[0], [1, 2, 3]]),
        ("model M { input [4]; for n in [1, 2] { Linear(n) }; for n in [3] { Linear(n) } }", "n", [[0, 1], [2, 3]]),
        ("model M { input [4]; Linear([n * 2 for n in [2]][0]) as n; use n }", "n", [[0, 1], [2, 3]]),
        ("let f(n) = n * 2\nmodel M(n = 3) { input [4]; Linear(f(n)) }", "n", [[0, 1], [2, 3]]),
        ("model M { input [4]; repeat 2 { Linear(4) as a }; add { branch { ReLU as a; use a } branch { Tanh } } }", "a",
         [[0], [1, 2]]),
        ("block B { ReLU as a; Tanh }\nmodel M { input [4]; B as x; use x.a }", "a", [[0, 1]]),
        ("model M(w = 3) { input [4]; Linear(w) }\nmodel V = M(w=5)\ntrain V { epochs = 1 }", "w", [[0, 1, 2]]),
        ("model M(w = 3) { input [4]; Linear(w) }\nmodel V = M(w=5)\ntrain V { epochs = 1 }", "V", [[0, 1]]),
        ("model M { input [3, H, W] where H % 2 == 0; ReLU -> [3, H, W] }", "H", [[0, 1, 2]]),
    ],
)  # fmt: skip
def test_every_use_of_a_name_is_found(text: str, word: str, groups: list[list[int]]):
    for group in groups:
        for at in group:
            assert places(text, word, at) == group


@pytest.mark.parametrize("path", sorted((ROOT / "specs").rglob("*.cnn")), ids=lambda path: path.name)
def test_every_name_of_the_specs_is_known(path: Path):
    names = Project(str(path), path.read_text(encoding="utf-8")).names
    known = {span.start for span, _ in names.uses}
    read = [node for node in tree.walk(names.items, bound=False) if isinstance(node, tree.Name)]
    left = {node.id for node in read if node.span.start not in known}
    recipes = {name for setting in SETTINGS.values() if not isinstance(setting.takes, Kind) for name in setting.takes}
    assert (
        left - {"_", "normal"} - set(layers.names()) - set(FUNCTIONS) - {*SIZE_FUNCTIONS, *SHAPE_NAMES} - recipes
        == set()
    )


def test_a_name_is_followed_into_other_files(tmp_path: Path):
    (tmp_path / "cnnspec.toml").write_text("")
    (tmp_path / "lib.cnn").write_text("block B(n) { Linear(n) }\n")
    (tmp_path / "other.cnn").write_text('from "lib.cnn" import B as C\nmodel N { input [4]; C(n=1) }\n')
    text = 'from "lib.cnn" import B\nmodel M { input [4]; B(n=2) }\n'
    names = Project(str(tmp_path / "m.cnn"), text).names
    for word, expected in (
        ("B", {"lib.cnn": 1, "m.cnn": 2, "other.cnn": 1}),
        ("n", {"lib.cnn": 2, "m.cnn": 1, "other.cnn": 1}),
    ):
        found = names.at(text.rindex(word))
        assert found is not None
        assert found[1].path == str(tmp_path / "lib.cnn")
        assert Counter(Path(span.source.path).name for span in names.project.uses(found[1])) == expected


def test_a_new_name_has_to_be_free():
    text = "block B(n, m = 2) { Linear(n) }\nmodel M { input [4]; B(3) }\n"
    names = names_of(text)
    symbol = names.at(text.index("n, m"))[1]
    assert analysis.rename_problem(names, symbol, "width") == ""
    assert analysis.rename_problem(names, symbol, "m") == "m means something else here already"
    assert analysis.rename_problem(names, symbol, "3x") == "'3x' is no name"
    assert analysis.rename_problem(names, symbol, "model") == "'model' is no name"
    assert analysis.rename_problem(names, symbol, "Conv2d") == "Conv2d is a layer"


# --- what may be written ---

BEFORE = "block Unit(width, kernel = 3) { Conv2d(width, kernel) }\nmodel M {\n    input [3, 8, 8]\n"


@pytest.mark.parametrize(
    ("text", "first", "absent"),
    [
        (BEFORE + "    |\n}", "M Unit Abs", "model"),
        (BEFORE + "    Un|\n}", "M Unit Abs", "width"),
        (BEFORE + "    Unit(|", "width kernel", ""),
        (BEFORE + "    Unit(8, kernel=3, |)\n}", "width", "kernel"),
        (BEFORE + "    Conv2d(8, 3, |)\n}", "stride padding dilation groups bias padding_mode", "kernel_size"),
        (BEFORE + "    Conv2d(8, 3, stride=2, |)\n}", "padding dilation", "stride"),
        (BEFORE + "    Conv2d(8, 3, bias=|)\n}", "false true", "padding"),
        (BEFORE + "    Conv2d(8, 3,\n        padding_mode=|\n", '"zeros" "reflect"', "padding"),
        (BEFORE + "    Unit(8) as a\n    use |\n}", "a M Unit", "repeat"),
        (BEFORE + "    residual {\n        |\n    }\n}", "M Unit Abs", "model"),
        ("train {\n    |\n}", "data augment", "model"),
        ("train {\n    optimizer = |\n}", "SGD Adam", "lr"),
        ("train {\n    optimizer = SGD(lr=0.1, |)\n}", "momentum", "lr"),
        ("train {\n    precision = |\n}", '"float32"', "lr"),
        ("train {\n    augment = [|]\n}", "RandomHorizontalFlip", "SGD"),
        ("|", "model block train", "Conv2d"),
        ("# |", "model block train", "Conv2d"),
    ],
)
def test_completion(text: str, first: str, absent: str):
    offset = text.index("|")
    found = [one.name for one in completions(names_of(text.replace("|", "")), offset)]
    assert found[: len(first.split())] == first.split()
    assert absent not in found


def test_completion_behind_a_dot_and_of_imports(tmp_path: Path):
    (tmp_path / "lib.cnn").write_text("block B { ReLU as inner; Tanh }\n")
    for text, expected in (
        ('from "lib.cnn" import |', ["B"]),
        ('from "none.cnn" import |', []),
        ('from "lib.cnn" import B\nmodel M { input [3]; B as x; use x.|', ["inner"]),
    ):
        names = Project(str(tmp_path / "m.cnn"), text.replace("|", "")).names
        assert [one.name for one in completions(names, text.index("|"))] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Unit(|", ("Unit(width, kernel = 3)", 0)),
        ("Unit(8, |", ("Unit(width, kernel = 3)", 1)),
        ("Unit(kernel=|", ("Unit(width, kernel = 3)", 1)),
        ("Linear(max(1, 2), |", ("Linear(out_features, *, bias=true)", 1)),
        ("Dropout(|)", ("Dropout(p=0.5, inplace=false)", 0)),
        ("Linear(3)|", None),
    ],
)
def test_signatures(text: str, expected: tuple[str, int] | None):
    whole = BEFORE + text
    found = call_at(names_of(whole.replace("|", "")), whole.index("|"))
    assert (None if found is None else (found.text, found.active)) == expected


# --- structure ---


def test_words_have_kinds():
    text = 'let k = 3  # a "b"\nblock B(n) { Conv2d(n, k, padding_mode="zeros") }\n'
    text += "model M { input [3, 8, 8]; B(2) as x; use x }\n"
    found = [(text[word.start : word.end], word.type) for word in structure.words(names_of(text))]
    assert found == [
        ("let", "keyword"), ("k", "variable"), ("3", "number"), ('# a "b"', "comment"),
        ("block", "keyword"), ("B", "class"), ("n", "parameter"), ("Conv2d", "type"), ("n", "parameter"), ("k", "variable"),
        ("padding_mode", "property"), ('"zeros"', "string"),
        ("model", "keyword"), ("M", "class"), ("input", "keyword"), ("3", "number"), ("8", "number"), ("8", "number"),
        ("B", "class"), ("2", "number"), ("as", "keyword"), ("x", "variable"), ("use", "keyword"), ("x", "variable"),
    ]  # fmt: skip


def test_bodies_comments_and_imports_fold():
    text = '# a\n# b\nfrom "x.cnn" import A\nfrom "y.cnn" import B\n'
    text += "model M {\n    input [3]\n    residual {\n        ReLU\n    }\n}\n"
    found = {(one.first, one.last, one.kind) for one in structure.folds(names_of(text))}
    assert found == {(0, 1, "comment"), (2, 3, "imports"), (4, 8, "region"), (6, 7, "region")}


def test_every_beginning_of_a_text_is_answered():
    text = "block B(n) { Conv2d(n, 3) }\n" + RIGHT.replace("ReLU", "B(5)")
    for end in range(len(text)):
        found, names = analysis.analyse("m.cnn", text[:end]), names_of(text[:end])
        analysis.lenses(found)
        analysis.hover(found, names, end)
        completions(names, end)
        call_at(names, end)
        structure.words(names)
        list(structure.folds(names))


SOURCE = """from torch import nn
import torch.nn.functional as F

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 5)
        self.head = nn.Linear(400, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv(x)), 2)
        x = x.flatten(1)
        return self.head(x)

# cnnspec: input 3x32x32
"""


def test_python_source_has_findings_fixes_and_shapes():
    found = python.analyse("net.py", SOURCE, fixes=True)
    (error,) = found.diagnostics
    assert (error.code.id, error.span.text) == ("E203", "400")
    assert error.fixes[0].edits[0].text == "1176"
    text = SOURCE.replace("400", "1176")
    ends = {one.text: text.count("\n", 0, one.offset) + 1 for one in python.analyse("net.py", text).hints}
    assert ends == {"-> [6, 14, 14]": 11, "-> [1176]": 12, "-> [10]": 13}


def message(**body: object) -> bytes:
    data = json.dumps({"jsonrpc": "2.0", **body}).encode()
    return b"Content-Length: %d\r\n\r\n%s" % (len(data), data)


def answers(data: bytes) -> list[dict]:
    found = []
    while data:
        head, _, rest = data.partition(b"\r\n\r\n")
        size = int(head.lower().split(b"content-length:")[1].split()[0])
        found.append(json.loads(rest[:size]))
        data = rest[size:]
    return found


def converse(
    text: str, requests: dict[str, dict[str, object]], uri: str = "file:///nowhere/m.cnn"
) -> dict[str, object]:
    """What the server answers to requests about a text by their methods, and the findings that it shows."""
    pytest.importorskip("pygls", reason="the language server needs pygls")
    document = {"uri": uri, "languageId": "cnn", "version": 1, "text": text}
    tokens = {"requests": {"full": True}, "tokenTypes": [], "tokenModifiers": [], "formats": []}
    client = {"processId": None, "rootUri": None, "capabilities": {"textDocument": {"semanticTokens": tokens}}}
    sent = [
        message(id="initialize", method="initialize", params=client),
        message(method="initialized", params={}),
        message(method="textDocument/didOpen", params={"textDocument": document}),
    ]  # fmt: skip
    for method, params in requests.items():
        about = {} if method.startswith("workspace") else {"textDocument": {"uri": uri}}
        sent.append(message(id=method, method=method, params={**about, **params}))
    sent += [message(id="shutdown", method="shutdown"), message(method="exit")]
    done = subprocess.run(
        [sys.executable, "-m", "cnnspec", "lsp"], input=b"".join(sent), capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    got = answers(done.stdout)
    assert not [one for one in got if "error" in one], got
    found = {one["id"].rpartition("/")[2]: one["result"] for one in got if "result" in one}
    return found | {one["method"].rpartition("/")[2]: one["params"] for one in got if "params" in one}


WHOLE = {"start": {"line": 0, "character": 0}, "end": {"line": 9, "character": 1}}


def at(line: int, character: int) -> dict[str, object]:
    return {"position": {"line": line, "character": character}}


def test_a_conversation():
    # A face takes two units of the client's count.
    text = "# \U0001f600\n" + WRONG
    found = converse(text, {
        "textDocument/codeAction": {"range": WHOLE, "context": {"diagnostics": []}},
        "textDocument/inlayHint": {"range": WHOLE},
        "textDocument/documentSymbol": {},
    })  # fmt: skip
    (shown,) = found["publishDiagnostics"]["diagnostics"]
    assert shown["range"]["start"] == {"line": 4, "character": 4}
    assert found["codeAction"][0]["edit"]["changes"]["file:///nowhere/m.cnn"][0]["newText"] == "Linear"
    assert found["inlayHint"][0]["label"] == "-> [4, 6, 6]"
    assert found["documentSymbol"][0]["name"] == "M"


def test_a_conversation_about_a_right_text(tmp_path: Path):
    text = "# \U0001f600 x\nblock B(n) { Conv2d(n, 3) }\nmodel M {\n    input [3, 8, 8]\n    B(n=5)\n}\n"
    uri = (tmp_path / "m.cnn").as_uri()
    found = converse(text, {
        "textDocument/hover": at(4, 4),
        "textDocument/completion": at(4, 6),
        "textDocument/signatureHelp": at(4, 6),
        "textDocument/definition": at(4, 4),
        "textDocument/references": at(4, 6) | {"context": {"includeDeclaration": True}},
        "textDocument/documentHighlight": at(4, 4),
        "textDocument/prepareRename": at(4, 4),
        "textDocument/rename": at(4, 4) | {"newName": "Unit"},
        "textDocument/foldingRange": {},
        "textDocument/semanticTokens/full": {},
        "textDocument/codeLens": {},
        "textDocument/formatting": {"options": {"tabSize": 4, "insertSpaces": True}},
        "workspace/executeCommand": {"command": "cnnspec.draw", "arguments": [uri, "M"]},
    }, uri)  # fmt: skip
    assert found["publishDiagnostics"]["diagnostics"] == []
    assert "block B(n)" in found["hover"]["contents"]["value"]
    assert found["completion"][0]["label"] == "n"
    assert found["completion"][0]["insertText"] == "n=$0"
    assert found["signatureHelp"]["signatures"][0]["label"] == "B(n)"
    assert found["definition"][0]["range"]["start"] == {"line": 1, "character": 6}
    assert [one["range"]["start"]["line"] for one in found["references"]] == [1, 1, 4]
    assert len(found["documentHighlight"]) == 2
    assert found["prepareRename"]["start"] == {"line": 4, "character": 4}
    assert {one["newText"] for one in found["rename"]["changes"][uri]} == {"Unit"}
    assert found["foldingRange"] == [{"startLine": 2, "endLine": 4, "kind": "region"}]
    # The first word is the comment, which a face makes one unit longer than it looks.
    assert found["full"]["data"][:5] == [0, 0, 6, structure.TYPES.index("comment"), 0]
    assert found["codeLens"][0]["command"]["title"] == "[3, 8, 8] -> [5, 6, 6]  140 parameters  4,860 MACs"
    assert found["formatting"] is None
    assert Path(found["executeCommand"]).read_text().startswith("<svg")
    assert found["showDocument"]["uri"].endswith("M.svg")


def test_a_conversation_about_python_source(tmp_path: Path):
    everything = {
        "textDocument/codeAction": {
            "range": WHOLE | {"end": {"line": 20, "character": 0}},
            "context": {"diagnostics": []},
        },
        "textDocument/inlayHint": {"range": WHOLE},
        "textDocument/hover": at(7, 26),
        "textDocument/completion": at(7, 26),
        "textDocument/signatureHelp": at(7, 32),
        "textDocument/semanticTokens/full": {},
        "textDocument/documentSymbol": {},
        "textDocument/formatting": {"options": {"tabSize": 4, "insertSpaces": True}},
    }
    found = converse(SOURCE, everything, (tmp_path / "net.py").as_uri())
    (shown,) = found["publishDiagnostics"]["diagnostics"]
    assert shown["code"] == "E203"
    assert shown["range"]["start"]["line"] == 7
    assert next(iter(found["codeAction"][0]["edit"]["changes"].values()))[0]["newText"] == "1176"
    # What a server for Python tells is left to it.
    assert (found["completion"], found["formatting"], found["documentSymbol"]) == ([], None, [])
    assert found["full"]["data"] == []
