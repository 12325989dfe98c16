"""The language server: what is computed of a text, and one conversation with the server itself."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from cnnspec.editor import analysis

RIGHT = "model M {\n    input [3, 8, 8]\n    Conv2d(4, 3)\n    ReLU\n}\n"
WRONG = "model M {\n    input [3, 8, 8]\n    Conv2d(4, 3)\n    Lineer(10)\n}\n"


def test_hints_give_the_shape_behind_every_statement():
    found = analysis.hints(analysis.analyse("m.cnn", RIGHT))
    assert [(one.offset, one.text) for one in found] == [
        (RIGHT.index("\n    ReLU"), "-> [4, 6, 6]"),
        (RIGHT.index("\n}"), "-> [4, 6, 6]"),
    ]


def test_a_stated_shape_needs_no_hint():
    stated = RIGHT.replace("ReLU", "ReLU -> [4, 6, 6]")
    assert len(analysis.hints(analysis.analyse("m.cnn", stated))) == 1


def test_hover_tells_shapes_parameters_and_the_layer():
    text = analysis.hover(analysis.analyse("m.cnn", RIGHT), RIGHT.index("Conv2d") + 2)
    assert text is not None
    assert text.startswith("`[3, 8, 8]` -> `[4, 6, 6]`, 112 parameters")
    assert "out_channels" in text


def test_findings_come_with_fixes_where_they_are_asked_for():
    (found,) = [one for one in analysis.analyse("m.cnn", WRONG, fixes=True).diagnostics if one.severity == "error"]
    assert found.span.text.startswith("Lineer")
    assert found.fixes[0].edits[0].text == "Linear"


def test_formatting_leaves_wrong_text():
    assert analysis.formatted("m.cnn", "model M{input[4];Linear( 3 )}") == "model M { input [4]; Linear(3) }\n"
    assert analysis.formatted("m.cnn", "model {") is None


def test_a_definition_is_found_from_its_use():
    text = "block B { ReLU }\nmodel M { input [4]; B }\n"
    span = analysis.definition(analysis.analyse("m.cnn", text), text.rindex("B"))
    assert span is not None
    assert (span.start, span.text) == (6, "B")


def test_every_beginning_of_a_text_is_answered():
    text = "block B(n) { Conv2d(n, 3) }\n" + RIGHT.replace("ReLU", "B(5)")
    for end in range(len(text)):
        found = analysis.analyse("m.cnn", text[:end])
        analysis.hints(found)
        analysis.hover(found, end)


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


def test_a_conversation():
    pytest.importorskip("pygls", reason="the language server needs pygls")
    uri = "file:///nowhere/m.cnn"
    document = {"uri": uri, "languageId": "cnn", "version": 1, "text": "# \U0001f600\n" + WRONG}
    name = {"textDocument": {"uri": uri}}
    whole = {"start": {"line": 0, "character": 0}, "end": {"line": 5, "character": 1}}
    sent = [
        message(id=1, method="initialize", params={"processId": None, "rootUri": None, "capabilities": {}}),
        message(method="initialized", params={}),
        message(method="textDocument/didOpen", params={"textDocument": document}),
        message(
            id=2, method="textDocument/codeAction", params={**name, "range": whole, "context": {"diagnostics": []}}
        ),
        message(id=3, method="textDocument/inlayHint", params={**name, "range": whole}),
        message(id=4, method="textDocument/documentSymbol", params=name),
        message(id=5, method="shutdown"),
        message(method="exit"),
    ]
    done = subprocess.run(
        [sys.executable, "-m", "cnnspec", "lsp"], input=b"".join(sent), capture_output=True, timeout=30
    )
    got = answers(done.stdout)
    by_id = {one["id"]: one.get("result") for one in got if "id" in one}
    (shown,) = [one["params"] for one in got if one.get("method") == "textDocument/publishDiagnostics"]
    assert shown["diagnostics"][0]["range"]["start"] == {"line": 4, "character": 4}
    assert by_id[2][0]["edit"]["changes"][uri][0]["newText"] == "Linear"
    assert by_id[3][0]["label"] == "-> [4, 6, 6]"
    assert by_id[4][0]["name"] == "M"
