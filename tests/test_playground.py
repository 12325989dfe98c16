"""The playground: lessons with their solutions, answers to any text, who the server answers, a visit in a browser."""

from __future__ import annotations

import base64
import http.client
import http.server
import json
import queue
import shutil
import subprocess
import sys
import threading
import zipfile
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from cnnspec.cli.main import main
from cnnspec.editor.analysis import analyse
from cnnspec.editor.playground import serve
from cnnspec.editor.playground.answers import QUESTIONS, answer, examples
from cnnspec.editor.playground.lessons import IMAGE, KERNEL, LESSONS, TURNED, Lesson, correlation, verdict
from cnnspec.editor.playground.links import text_of_link
from cnnspec.editor.playground.serve import Playground
from cnnspec.errors import UsageError
from cnnspec.limits import LIMITS
from tests.browser import BROWSER, needs_browser
from tests.sampling import FULL, amount
from tools import make_playground

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
    assert [int(line.rpartition(" ")[2]) for line in correlation(IMAGE, TURNED)] == [5, 11, 23, 29]


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


def test_a_network_of_a_thousand_layers_is_checked_and_not_drawn():
    text = "model Net {\n    input [3, 8, 8]\n    repeat 1000 { ReLU }\n}\n"
    assert answer("check", {"text": text})["findings"] == []
    found = answer("show", {"text": text})
    assert (found["page"], found["note"]) == ("", "Net has 1,000 layers: too many to be shown as one types")


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


@pytest.mark.parametrize("link", ["#t=", "#t=%%%", "#t=abc", "http://x/#t=AAAA", "#t=" + "A" * 400])
def test_a_damaged_link_is_refused(link: str, capsys: pytest.CaptureFixture[str]):
    assert main(["playground", link, "--no-browser"]) == 2
    assert "the link is damaged" in capsys.readouterr().err


def test_a_link_of_a_huge_text_is_refused():
    packed = zlib.compress(b" " * (LIMITS.file_bytes + 1), wbits=-15)
    with pytest.raises(UsageError, match="its text too large"):
        text_of_link("#t=" + base64.urlsafe_b64encode(packed).decode())


def test_a_bug_of_ours_is_told_and_a_browser_that_goes_away_is_not(
    server: Playground, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    def broken(given: dict[str, Any], path: str) -> dict[str, Any]:
        raise ZeroDivisionError("here")

    monkeypatch.setitem(QUESTIONS, "check", broken)
    code, told = asked(server, "POST", "/check", "{}", X_Token=server.token)
    assert (code, told) == (500, "this is a bug in cnnspec, sorry: ZeroDivisionError: here")
    for raised in (BrokenPipeError(), ConnectionResetError()):
        try:
            raise raised
        except OSError:
            server.handle_error(None, None)
    assert capfd.readouterr().err == ""


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


def with_visit(page: str) -> str:
    """The page with a script that visits it, and posts to `seen` what it has found."""
    script = (ROOT / "tests" / "playground.js").read_text(encoding="utf-8")
    return page.replace("<link", f"{CATCH}<link", 1).replace("</body>", f"<script>{script}</script></body>")


@needs_browser
@pytest.mark.parametrize("width", [1360, 500] if FULL else [500])
def test_a_visit(server: Playground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, width: int):
    read = serve._read
    monkeypatch.setattr(
        serve, "_read", lambda name: with_visit(read(name)) if name == "playground.html" else read(name)
    )
    seen: queue.Queue[dict[str, Any]] = queue.Queue()
    monkeypatch.setitem(QUESTIONS, "seen", lambda given, path: seen.put(given) or {})
    was_good(visit(server.address, tmp_path, width, seen))


def was_good(found: dict[str, Any]) -> None:
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
    assert text_of_link(found["link"]) == found["text"]
    assert found["steps"] == ["row 1, column 1: 0·0 + 1·1 + 3·2 + 4·3 = 19", "19", "19 25 37 43", "5 11 23 29"]
    assert found["next"] == "padding"
    assert found["curves"] == 2
    assert found["kept"].startswith("model Kept {")


# --- the site of files alone ---

ASK = """
import json, sys
sys.path.insert(0, sys.argv[1])
from cnnspec.editor.playground.answers import answer_text
import cnnspec
assert cnnspec.__file__.startswith(sys.argv[1])
print(json.dumps([json.loads(answer_text(question, json.dumps(given))) for question, given in json.load(sys.stdin)]))
"""


def test_the_archive_of_the_site_answers_as_the_package_does(tmp_path: Path):
    make_playground.write_page(tmp_path)
    zipfile.ZipFile(tmp_path / "cnnspec.zip").extractall(tmp_path / "inside")
    files = sorted((ROOT / "tests" / "ui").rglob("*.cnn"))
    texts = [WRONG, "from " * 9, *(one.solution for one in LESSONS)]
    texts += [file.read_text(encoding="utf-8", errors="replace") for file in files[:: amount(40, 1)]]
    asked = [(question, {"text": text, "size": "9x9"}) for text in texts for question in ("check", "show", "python")]
    asked += [("start", {}), ("complete", {"text": WRONG}), ("format", {"text": WRONG}), ("explain", {"code": "W201"})]
    imports = (ROOT / "specs" / "se_resnet.cnn").read_text(encoding="utf-8")
    asked += [("example", {"name": "resnet"}), ("check", {"example": "se_resnet", "text": imports})]
    # Neither what is installed nor where Python starts from helps it.
    command = [sys.executable, "-I", "-S", "-c", ASK, str(tmp_path / "inside")]
    run = subprocess.run(command, input=json.dumps(asked), capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    for (question, given), found in zip(asked, json.loads(run.stdout), strict=True):
        assert found == json.loads(json.dumps(answer(question, given))), (question, given)


@needs_browser
@pytest.mark.skipif(not FULL or shutil.which("npm") is None, reason="CNNSPEC_FULL=1 and npm: Pyodide is fetched")
def test_a_visit_of_the_site(tmp_path: Path):
    site = tmp_path / "site"
    make_playground.main(site)
    page = site / "index.html"
    page.write_text(with_visit(page.read_text(encoding="utf-8")), encoding="utf-8")
    seen: queue.Queue[dict[str, Any]] = queue.Queue()

    class Files(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *arguments: object) -> None:
            pass

        def do_POST(self) -> None:
            seen.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Files, directory=str(site))) as served:
        threading.Thread(target=served.serve_forever, daemon=True).start()
        try:
            was_good(visit(f"http://127.0.0.1:{served.server_address[1]}/", tmp_path, 1360, seen))
        finally:
            served.shutdown()
