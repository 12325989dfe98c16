"""The playground: lessons with their solutions, answers to any text, who the server answers, a visit in a browser."""

from __future__ import annotations

import http.client
import json
import queue
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cnnspec.editor.analysis import analyse
from cnnspec.editor.playground import serve
from cnnspec.editor.playground.answers import QUESTIONS, answer, examples
from cnnspec.editor.playground.lessons import IMAGE, KERNEL, LESSONS, Lesson, correlation, verdict
from cnnspec.editor.playground.serve import Playground
from tests.browser import BROWSER, needs_browser

ROOT = Path(__file__).parent.parent
WRONG = "model Net {\n    input [1, 28, 28]\n    # \U0001f600\n    Conv2d(6, 5)\n    BatchNorm2d(16)\n}\n"


def test_there_are_eleven_lessons():
    assert len(LESSONS) == len({lesson.name for lesson in LESSONS}) == 11


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_a_lesson_is_done_by_its_solution_and_not_before(lesson: Lesson):
    assert not verdict(lesson, analyse("lesson.cnn", lesson.start))["done"]
    assert verdict(lesson, analyse("lesson.cnn", lesson.solution)) == {"done": True, "missing": []}
    assert not verdict(lesson, analyse("lesson.cnn", ""))["done"]
    assert lesson.hints
    assert lesson.worked


def test_the_lessons_are_those_of_the_documentation():
    rows = [
        line for line in (ROOT / "docs" / "playground.md").read_text(encoding="utf-8").splitlines() if line[:2] == "| "
    ]
    assert rows[-11:] == [f"| {lesson.title} | {lesson.task} |" for lesson in LESSONS]


def test_cross_correlation_has_the_numbers_of_the_notes():
    results = [int(line.rpartition(" ")[2]) for line in correlation(IMAGE, KERNEL)]
    assert results == [19, 25, 37, 43]
    assert [int(line.rpartition(" ")[2]) for line in correlation(IMAGE, KERNEL, flip=True)] == [5, 11, 23, 29]


def test_fixes_count_as_browsers_do():
    found = answer("check", {"text": WRONG})
    (one,) = found["findings"]
    units = WRONG.encode("utf-16-le")
    assert units[2 * one["from"] : 2 * one["to"]].decode("utf-16-le") == "16"
    (edit,) = one["fixes"][0]["edits"]
    mended = (
        units[: 2 * edit["from"]].decode("utf-16-le") + edit["insert"] + units[2 * edit["to"] :].decode("utf-16-le")
    )
    assert answer("check", {"text": mended})["findings"] == []


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize(
    "given",
    [
        {},
        {
            "text": 3,
            "code": [],
            "name": "../pyproject",
            "example": {},
            "size": None,
            "lesson": 1,
            "at": "x",
            "model": [],
        },
        {"text": WRONG, "at": -3},
        {"text": WRONG, "at": 10**9},
        {"text": "{" * 900},
    ],
)
def test_nonsense_gets_an_answer(question: str, given: dict[str, Any]):
    assert json.dumps(answer(question, given))


@pytest.mark.parametrize(
    ("size", "said"),
    [
        ("32x32", "holds: 1×32×32 → 10"),
        ("32, 40", "holds: 1×32×40 → 10"),
        ("2x2", "line 3: the window of Conv2d"),
        ("x", ""),
        ("a", "a size is written 32x32"),
        ("1x1x1x1", "Net has no input with 4 sizes"),
    ],
)
def test_what_another_size_gives(size: str, said: str):
    # What the data of a recipe are like has nothing to do with the question.
    text = (
        "model Net {\n  input [1, 28, 28]\n  Conv2d(6, 5)\n  Flatten\n  Linear(10)\n}\ntrain { data = FashionMini }\n"
    )
    found = answer("check", {"text": text, "size": size})["what_if"]
    assert found.startswith(said)
    assert bool(found) == bool(said)


def test_a_size_that_a_model_leaves_out_is_told():
    text = "model Net {\n    input [3, H, W] where H % 16 == 0, W >= 8\n    Conv2d(6, 5)\n}\n"
    assert answer("check", {"text": text, "size": "40x40"})["what_if"] == "the sizes that Net declares leave 40×40 out"
    assert answer("check", {"text": text, "size": "32x40"})["what_if"] == "holds: 3×32×40 → 6×28×36"
    assert answer("check", {"text": WRONG, "size": "32x40"})["what_if"] == "the text has errors as it is"


def test_of_several_models_the_one_that_is_asked_for_is_shown():
    text = "model A {\n    input [1, 8, 8]\n    ReLU\n}\nmodel B {\n    input [1, 9, 9]\n    Tanh\n}\n"
    assert [answer("check", {"text": text, "model": name})["model"] for name in ("B", "C")] == ["B", "A"]
    assert "<h1>B</h1>" in answer("show", {"text": text, "model": "B"})["page"]
    assert "nn.Tanh()" in answer("python", {"text": text, "model": "B"})["text"]
    assert answer("python", {"text": WRONG}) == {"text": ""}


def test_completion_counts_as_browsers_do():
    text = WRONG.replace("Conv2d(6, 5)", "Conv2d(6, ")
    options = answer(
        "complete", {"text": text, "at": len(text[: text.index("Conv2d(6, ") + 10].encode("utf-16-le")) // 2}
    )
    assert "kernel_size" in [one["name"] for one in options["options"]]
    options = answer("complete", {"text": "model Net {\n    input [1]\n    ", "at": 30})["options"]
    assert next(one for one in options if one["name"] == "repeat")["snippet"] == "repeat ${1:2} {\n\t${}\n}"
    assert next(one for one in options if one["name"] == "Conv2d")["about"].startswith("Conv2d(")


def test_the_page_has_no_path_of_this_machine():
    text = answer("example", {"name": "lenet"})["text"]
    found = answer("show", {"text": text, "example": "lenet"})
    assert "lenet.cnn · no problems" in found["page"]
    assert str(ROOT) not in json.dumps(found)


def test_examples_are_checked_beside_what_they_import():
    assert examples()[0] == "lenet"
    for name in ("se_resnet", "resnet"):
        text = answer("example", {"name": name})["text"]
        assert answer("check", {"text": text, "example": name})["findings"] == []


# --- the server ---


@pytest.fixture
def server() -> Iterator[Playground]:
    made = Playground("", "playground.cnn")
    thread = threading.Thread(target=made.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()


def asked(server: Playground, method: str, path: str, body: str | None = None, **headers: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=30)
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    response = connection.getresponse()
    return response.status, response.read().decode()


def test_the_server_answers_its_own_page_alone(server: Playground):
    token = server.token
    assert server.server_address[0] == "127.0.0.1"
    assert asked(server, "GET", "/")[0] == 403
    assert asked(server, "GET", "/?token=wrong")[0] == 403
    assert asked(server, "GET", f"/?token={token}")[0] == 200
    assert asked(server, "GET", f"/?token={token}", Host="example.org")[0] == 403
    assert asked(server, "GET", "/../pyproject.toml")[0] == 404
    assert asked(server, "GET", "/serve.py")[0] == 404
    text = json.dumps({"text": WRONG})
    assert asked(server, "POST", "/check", text)[0] == 403
    assert asked(server, "POST", "/check", text, X_Token=token, Origin="http://example.org")[0] == 403
    assert asked(server, "POST", "/nothing", text, X_Token=token)[0] == 404
    assert asked(server, "POST", "/check", "[", X_Token=token)[0] == 400
    assert asked(server, "POST", "/check", "[]", X_Token=token)[0] == 400
    assert asked(server, "PUT", "/check", text, X_Token=token)[0] == 501
    code, found = asked(server, "POST", "/check", text, X_Token=token)
    assert code == 200
    assert json.loads(found)["findings"][0]["code"] == "E203"


CATCH = """<script>const caught = [];
addEventListener('error', event => caught.push(event.message));
console.error = text => caught.push(String(text));
addEventListener('unhandledrejection', event => caught.push(String(event.reason)));
addEventListener('securitypolicyviolation', event => caught.push(event.violatedDirective + event.blockedURI));</script>"""


def visit(address: str, folder: Path, width: int, seen: queue.Queue[dict[str, Any]]) -> dict[str, Any]:
    """What the script of a visit has found, as it tells the server."""
    assert BROWSER is not None
    command = [
        BROWSER, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run",
        f"--user-data-dir={folder / 'profile'}", f"--window-size={width},900", "--remote-debugging-port=0", address,
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as browser:
        try:
            return seen.get(timeout=90)
        finally:
            browser.terminate()


@needs_browser
@pytest.mark.parametrize("width", [1360, 500])
def test_a_visit(server: Playground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, width: int):
    read = serve._read
    script = (ROOT / "tests" / "playground.js").read_text(encoding="utf-8")

    def with_visit(name: str) -> str:
        text = read(name)
        if name != "playground.html":
            return text
        return text.replace("<link", f"{CATCH}<link", 1).replace("</body>", f"<script>{script}</script></body>")

    monkeypatch.setattr(serve, "_read", with_visit)
    seen: queue.Queue[dict[str, Any]] = queue.Queue()
    monkeypatch.setitem(QUESTIONS, "seen", lambda given, path: seen.put(given) or {})
    found = visit(server.address, tmp_path, width, seen)
    assert "failed" not in found, found
    assert found["errors"] == []
    assert found["foreign"] == []
    assert not found["wide"]
    assert found["unnamed"] == 0
    assert found["hints"][0] == "→ [6, 28, 28]"
    assert found["heading"] == "LeNet"
    assert found["examples"] == ["lenet", "mlp", "alexnet"]
    assert found["sizes"].startswith("28 <= H <= 31 with 28 <= W <= 31")
    assert found["chosen"].startswith("3  Conv2d(16, 5×5)")
    assert found["state"] == "1 error"
    assert found["message"].startswith("E203line ")
    assert found["fixes"][0].startswith("Fix: change the kernel size on line ")
    assert found["explained"] == "error[E203]:"
    assert found["fixed"]
    assert found["other"] == "holds: 1×32×32 → 10"
    assert found["shared"]
    assert found["worked"][1] == "row 1, column 1: 0·0 + 1·1 + 3·2 + 4·3 = 19"
