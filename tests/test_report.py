"""What a run shows and keeps: exact lines and tables, files after a resume, pictures as XML, hostile names."""

from __future__ import annotations

import contextlib
import io
import math
import os
import re
import subprocess
import sys
from base64 import b64decode
from pathlib import Path
from xml.etree import ElementTree

import pytest

from cnnspec.backends.draw.canvas import PALETTE, Canvas, shorten
from cnnspec.errors import TrainError
from cnnspec.files import write_atomic
from cnnspec.training.events import End, Epoch, Notice, Start, Step
from cnnspec.training.report.confusion import Pair, class_names, confused_pairs, confusion_table, draw_confusion
from cnnspec.training.report.console import Console, Remaining, duration, epoch_line, start_lines, step_line, table_head
from cnnspec.training.report.contact_sheet import Picture, Tile, draw_sheet, percent, png
from cnnspec.training.report.curves import decimals, draw_curves, headline, ticks
from cnnspec.training.report.run_folder import RunFiles, TensorBoard, metrics_csv, metrics_line, read_metrics

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = [
    "<script>alert(1)</script>", 'a" onload="x', "]]>&amp;", "\x1b[31mred\x07\x00", "\u202eright to left",
    "\ufffe\uffff\ud800", "W" * 5000, "", "$x_{", "名前",
]  # fmt: skip


def start(**given: object) -> Start:
    values: dict[str, object] = {
        "model": "LeNet", "parameters": 61706, "digest": "abc", "recipe": {"data": "FashionMini"},
        "classes": tuple("abcdefghij"), "task": "classification", "score": "accuracy", "judged_by": "loss",
        "judged_on": "test", "data": "FashionMini from cnnspec", "validation_images": 0, "skipped": (), "threads": 1,
        "train_images": 5000, "test_images": 1000, "batch": 64, "epochs": 10, "steps": 79, "device": "cpu", "why": "",
        "processes": 1, "seed": 0, "folder": None, "epoch": 0, "step": 0,
    }  # fmt: skip
    return Start(**(values | given))  # type: ignore[arg-type]


def step(number: int, *, epoch: int = 1, seconds: float = 4.0) -> Step:
    return Step(epoch, number, 79, number * 64, 2.3021, 0.1125, 0.05, None, seconds, 8412.3)


def epoch(number: int, *, test: float | None = 0.5, loss: float = 0.6, best: bool = True, epochs: int = 10) -> Epoch:
    tested = {} if test is None else {"accuracy": 0.8}
    train = {"accuracy": 0.75}
    return Epoch(number, epochs, number * 79, loss, train, None, {}, test, tested, 0.05, 12.3, 1.1, 8412.3, best)


def end(**given: object) -> End:
    values: dict[str, object] = {
        "reason": "finished", "text": "trained for 10 epochs", "epoch": 10, "step": 790, "seconds": 118.2,
        "best_epoch": 9, "best_loss": 0.5122, "best_metrics": {"accuracy": 0.815}, "confusion": None,
        "test_loss": None, "test_metrics": {}, "saved": True,
    }  # fmt: skip
    return End(**(values | given))  # type: ignore[arg-type]


class Screen(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


# --- lines ---


def test_the_table_of_a_run():
    stream = io.StringIO()
    with Console(stream) as console:
        console.on_start(start(why="no accelerator was found", folder="runs/1"))
        console.on_epoch(epoch(1))
        console.on_epoch(epoch(2, test=None, loss=12345.6, best=False))
        console.on_notice(Notice("chance", "the loss is still at chance\ntry a smaller lr"))
        console.on_notice(Notice("resume", "the thread count differs"))
        console.on_end(end())
    assert stream.getvalue() == (
        "LeNet: 61,706 parameters, classification, on cpu\n"
        "FashionMini from cnnspec: 5,000 training and 1,000 test images, 10 classes\n"
        "classes: a, b, c, d, e, f, g, h, i, j\n"
        "10 epochs of 79 steps, 64 images a step, seed 0\n"
        "the best epoch is that with the best loss on the test images\n"
        "no accelerator was found\n"
        "\n"
        "epoch  train loss  accuracy  test loss  accuracy  images/s         lr     time\n"
        " 1/10      0.6000     0.750     0.5000     0.800     8,412       0.05   13.4 s  best\n"
        " 2/10    1.23e+04     0.750          -         -     8,412       0.05   13.4 s\n"
        "warning: the loss is still at chance\n"
        "  try a smaller lr\n"
        "note: the thread count differs\n"
        "\n"
        "trained for 10 epochs\n"
        "best epoch 9: loss 0.5122, accuracy 0.815; 1:58 in all\n"
        "curves, metrics and checkpoints are in runs/1\n"
    )


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"epoch": 3}, "goes on behind epoch 3"),
        ({"epoch": 3, "step": 12}, "goes on in epoch 4, behind step 12 of 79"),
        ({"processes": 2}, "LeNet: 61,706 parameters, classification, on cpu in 2 processes"),
        ({"test_images": 0}, "FashionMini from cnnspec: 5,000 training images, 10 classes"),
        (
            {"validation_images": 500},
            "FashionMini from cnnspec: 5,000 training, 500 validation and 1,000 test images, 10 classes",
        ),
        (
            {"judged_by": "f1", "judged_on": "validation"},
            "the best epoch is that with the best f1 on the validation images",
        ),
        ({"epochs": 1, "steps": 1}, "1 epoch of 1 step, 64 images a step, seed 0"),
    ],
)
def test_first_lines(given: dict[str, object], line: str):
    assert line in start_lines(start(**given))


def test_columns_stay_under_their_heads():
    for epochs in (1, 10, 100, 12345):
        line = epoch_line(epoch(1, epochs=epochs, best=False))
        assert len(line) == len(table_head(start(epochs=epochs)))


def test_step_line():
    assert step_line(step(40), 35.04) == "step 40/79  35.0 s left  loss 2.3021  accuracy 0.113  8,412 images/s"
    assert step_line(step(79), 35.04) == "step 79/79      testing  loss 2.3021  accuracy 0.113  8,412 images/s"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0.0 s"), (4.21, "4.2 s"), (59.94, "59.9 s"), (59.96, "1:00"), (65, "1:05"), (3599.6, "1:00:00"), (7389, "2:03:09"),
     (math.inf, "?"), (math.nan, "?")],
)  # fmt: skip
def test_duration(seconds: float, text: str):
    assert duration(seconds) == text


def test_forecast_counts_steps_and_tests():
    forecast = Remaining(start(epochs=2))
    assert forecast.left(step(0)) is None
    # 39 steps of this epoch and 79 of the next at 0.1 s.
    assert forecast.left(step(40)) == pytest.approx(11.8)
    forecast.epoch(epoch(1))
    assert forecast.left(step(40, epoch=2)) == pytest.approx(3.9 + 1.1)
    # After a resume behind step 30 the 4 s were for 10 steps.
    assert Remaining(start(epochs=1, step=30)).left(step(40)) == pytest.approx(39 * 0.4)


def test_long_epochs_speak_every_ten_seconds():
    stream, clock = io.StringIO(), Clock()
    console = Console(stream, clock=clock)
    console.on_start(start(epochs=2))
    before = len(stream.getvalue())
    for number in range(1, 80):
        clock.now += 0.5
        console.on_step(step(number))
    assert [line[:17] for line in stream.getvalue()[before:].splitlines()] == [
        "  1/2  step 20/79", "  1/2  step 40/79", "  1/2  step 60/79",
    ]  # fmt: skip


def test_colour_and_its_absence(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    stream = Screen()
    Console(stream, bar=False).on_notice(Notice("chance", "stuck"))
    assert stream.getvalue() == "\x1b[1;33mwarning: stuck\x1b[0m\n"
    monkeypatch.setenv("NO_COLOR", "1")
    stream = Screen()
    Console(stream, bar=False).on_notice(Notice("chance", "stuck"))
    assert stream.getvalue() == "warning: stuck\n"
    monkeypatch.setenv("TERM", "dumb")
    assert not Console(Screen()).wants_bar


def test_the_bar_goes_and_the_lines_stay(monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("rich")
    monkeypatch.setenv("COLUMNS", "100")
    stream = Screen()
    console = Console(stream, color=False, bar=True)
    with contextlib.suppress(KeyboardInterrupt), console:
        console.on_start(start())
        console.on_step(step(40))
        console.on_epoch(epoch(1))
        raise KeyboardInterrupt
    shown = stream.getvalue()
    assert "step 40/79" in shown
    assert epoch_line(epoch(1)) in shown
    # The cursor that the bar hides is shown again, and the bar's line erased.
    assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h") == 1
    assert shown.index("\x1b[?25h") < shown.rindex("\x1b[2K")
    console.close()


def test_plain_lines_where_rich_is_missing(monkeypatch: pytest.MonkeyPatch):
    for name in ("rich", "rich.console", "rich.progress"):
        monkeypatch.setitem(sys.modules, name, None)
    stream = Screen()
    with Console(stream, color=False, bar=True) as console:
        console.on_start(start())
        console.on_epoch(epoch(1))
    assert stream.getvalue().endswith(epoch_line(epoch(1)) + "\n")


@pytest.mark.parametrize("bar", [False, True])
@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_reaches_the_terminal_as_it_is(name: str, bar: bool):
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii", write_through=True)
    with Console(stream, color=False, bar=bar) as console:
        console.on_start(start(model=name, data=name, classes=(name,), why=name))
        console.on_notice(Notice(name, name))
        console.on_end(end(text=name))
    assert b"\x1b[31m" not in raw.getvalue()
    assert b"\x07" not in raw.getvalue()


# --- files ---


def history(count: int) -> list[Epoch]:
    return [epoch(number, loss=1 / number, best=number == count) for number in range(1, count + 1)]


def test_metrics_of_a_run(tmp_path: Path):
    files = RunFiles()
    files.on_start(start(folder=str(tmp_path / "new" / "run")))
    for one in history(3):
        files.on_epoch(one)
    files.on_end(end(confusion=((3, 1), (0, 4)), epoch=3))
    folder = tmp_path / "new" / "run"
    assert read_metrics(folder / "metrics.jsonl") == history(3)
    assert (folder / "metrics.jsonl").read_text().splitlines()[0] == (
        '{"epoch": 1, "epochs": 10, "step": 79, "train_loss": 1.0, "train_accuracy": 0.75, "test_loss": 0.5, '
        '"test_accuracy": 0.8, "learning_rate": 0.05, "seconds": 12.3, "test_seconds": 1.1, '
        '"images_per_second": 8412.3, "best": false}'
    )
    assert (folder / "metrics.csv").read_text().splitlines()[:2] == [
        "epoch,epochs,step,train_loss,train_accuracy,test_loss,test_accuracy,learning_rate,seconds,test_seconds,"
        "images_per_second,best",
        "1,10,79,1.0,0.75,0.5,0.8,0.05,12.3,1.1,8412.3,0",
    ]
    names = {path.name for path in folder.iterdir()}
    assert names == {"metrics.jsonl", "metrics.csv", "curves.svg", "confusion.svg", "confusion.txt"}


def test_a_resumed_run_drops_what_it_runs_again(tmp_path: Path):
    path = tmp_path / "metrics.jsonl"
    path.write_text("".join(map(metrics_line, history(4))) + '{"epoch": 5, "epo')
    files = RunFiles()
    files.on_start(start(folder=str(tmp_path), epoch=2))
    assert read_metrics(path) == history(4)[:2]
    files.on_epoch(epoch(3, loss=7.0))
    assert [one.train_loss for one in read_metrics(path)] == [1.0, 0.5, 7.0]
    assert "7.0" in (tmp_path / "metrics.csv").read_text()


def test_numbers_that_json_lacks(tmp_path: Path):
    broken = epoch(1, loss=math.nan, test=math.inf)
    assert '"train_loss": null' in metrics_line(broken)
    (tmp_path / "m").write_text(metrics_line(broken))
    (read,) = read_metrics(tmp_path / "m")
    assert math.isnan(read.train_loss)
    assert read.test_loss is None
    assert metrics_csv([epoch(1, test=None)]).splitlines()[1] == "1,10,79,0.6,0.75,,0.05,12.3,1.1,8412.3,1"


@pytest.mark.parametrize(
    "line", ["", "[]", "{}", "[" * 100_000, '{"epoch": 1}', metrics_line(epoch(1)).replace("0.75", '"x"'), "\0"]
)
def test_lines_that_are_no_epoch_are_skipped(tmp_path: Path, line: str):
    (tmp_path / "m").write_text(line + "\n" + metrics_line(epoch(2)))
    assert read_metrics(tmp_path / "m") == [epoch(2)]


def test_a_folder_that_cannot_be_written_is_told_once_and_caught_up(tmp_path: Path):
    (tmp_path / "run").write_text("a file in the way")
    told: list[Notice] = []
    files = RunFiles(told.append)
    files.on_start(start(folder=str(tmp_path / "run")))
    files.on_epoch(epoch(1))
    assert [notice.kind for notice in told] == ["files"]
    assert told[0].text.startswith("could not write into ")
    (tmp_path / "run").unlink()
    (tmp_path / "run").mkdir()
    files.on_epoch(epoch(2))
    assert [one.epoch for one in read_metrics(tmp_path / "run" / "metrics.jsonl")] == [1, 2]


def test_a_run_without_a_folder_keeps_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    files = RunFiles()
    files.on_start(start())
    files.on_epoch(epoch(1))
    files.on_end(end())
    assert list(tmp_path.iterdir()) == []


def test_writing_is_all_or_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "file"
    write_atomic(path, "old", durable=True)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        write_atomic(path, b"new")
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_tensorboard_reads_what_was_written(tmp_path: Path):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    for first, count in ((0, 3), (2, 3)):
        board = TensorBoard()
        board.on_start(start(folder=str(tmp_path), epoch=first))
        for one in history(count)[first:]:
            board.on_epoch(one)
        board.on_end(end())
    read = accumulator.EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert set(read.Tags()["scalars"]) == {
        "train/loss", "train/accuracy", "test/loss", "test/accuracy", "learning_rate", "images_per_second",
    }  # fmt: skip
    assert [scalar.step for scalar in read.Scalars("train/loss")] == [1, 2, 3]


def test_tensorboard_missing_is_said_clearly(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "tensorboard.compat.proto.event_pb2", None)
    with pytest.raises(TrainError, match="need the package tensorboard: pip install tensorboard"):
        TensorBoard()


def test_no_torch():
    code = (
        "import sys\nfrom cnnspec.training.report import run_folder, console, confusion, contact_sheet\n"
        "print({'torch', 'numpy', 'rich', 'matplotlib', 'PIL', 'tensorboard'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "set()\n"


# --- pictures ---


def parse(svg: str) -> ElementTree.Element:
    """The SVG as XML; it holds nothing that runs and nothing from elsewhere."""
    root = ElementTree.fromstring(svg)
    assert root.tag == f"{SVG}svg"
    for element in root.iter():
        assert element.tag.removeprefix(SVG) in {
            "svg",
            "title",
            "style",
            "rect",
            "line",
            "path",
            "circle",
            "text",
            "image",
            "g",
            "desc",
        }
        assert not [name for name in element.attrib if name.lower().startswith("on")]
        assert element.get("href", "data:image/png;base64,").startswith("data:image/png;base64,")
    return root


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in parse(svg).iter(f"{SVG}text")]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0.1, 0.83, [0, 0.2, 0.4, 0.6, 0.8, 1.0]), (0.764, 2.55, [0.5, 1, 1.5, 2, 2.5, 3]), (3, 3, [2.6, 2.8, 3, 3.2, 3.4]),
     (0, 0, [-1, -0.5, 0, 0.5, 1])],
)  # fmt: skip
def test_ticks(low: float, high: float, expected: list[float]):
    assert ticks(low, high) == pytest.approx(expected)


def test_ticks_of_epochs_are_whole():
    for last in range(2, 300):
        assert all(tick == int(tick) for tick in ticks(1, last, whole=True))
        assert len(ticks(1, last, whole=True)) <= 8


def test_curves_hold_both_sets():
    svg = draw_curves("LeNet", history(10))
    assert headline(history(10)) == "best epoch 10 of 10: test loss 0.5000, accuracy 0.800"
    assert {"LeNet", headline(history(10)), "loss", "accuracy", "best 10", "test 0.50", "test 0.80"} <= set(texts(svg))
    curves = [path for path in parse(svg).iter(f"{SVG}path") if path.get("d", "").count("L") == 9]
    # Training is dashed, what judges the epochs is solid.
    assert [path.get("stroke-dasharray") for path in curves] == ["6 4", None, "6 4", None]


def test_the_best_epoch_and_the_learning_rate_are_drawn():
    paths = list(parse(draw_curves("LeNet", history(10))).iter(f"{SVG}path"))
    assert sum(path.get("stroke-dasharray") == "2 3" for path in paths) == 2
    assert sum(path.get("fill") == PALETTE["plain-front"][0] for path in paths) == 2


@pytest.mark.parametrize(
    "epochs",
    [[], history(1), [epoch(1, test=None)], [epoch(1, loss=math.nan, test=math.inf)], history(3), history(5000),
     [epoch(1, loss=1e30), epoch(2, loss=-1e-30)], [epoch(7), epoch(9)]],
)  # fmt: skip
def test_curves_of_any_history(epochs: list[Epoch]):
    svg = draw_curves("M", epochs)
    values = [value for element in parse(svg).iter() for value in element.attrib.values()]
    assert not [value for value in values if re.search(r"\b(nan|inf)\b", value)]
    assert len(svg) < 100_000


def test_a_value_that_is_missing_leaves_a_gap():
    epochs = history(9)
    epochs[4] = epoch(5, loss=math.nan, test=None)
    paths = [
        path
        for path in parse(draw_curves("M", epochs)).iter(f"{SVG}path")
        if path.get("fill") == "none" and path.get("stroke-dasharray") != "2 3"
    ]
    # Training accuracy is whole, the other three curves are in two parts.
    assert len(paths) == 7


def luminance(color: str) -> float:
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("mode", [0, 1], ids=["light", "dark"])
def test_text_and_curves_stand_out(mode: int):
    paper = luminance(PALETTE["paper"][mode])
    for name, least in (("ink", 7), ("soft", 4.5), ("blue", 3), ("orange", 3)):
        low, high = sorted((paper, luminance(PALETTE[name][mode])))
        assert (high + 0.05) / (low + 0.05) >= least, name


def test_confusion_table():
    counts = [[70, 5, 25], [0, 1000, 0], [40, 0, 60]]
    assert confusion_table(counts, ["T-shirt/top", "Trouser", "Shirt"]) == (
        "class        images  right  accuracy  mostly taken for\n"
        "T-shirt/top     100     70     0.700  Shirt (25)\n"
        "Trouser       1,000  1,000     1.000\n"
        "Shirt           100     60     0.600  T-shirt/top (40)\n"
        "all           1,200  1,130     0.942\n"
        "\n"
        "most confused\n"
        "40 of 100  Shirt taken for T-shirt/top\n"
        "25 of 100  T-shirt/top taken for Shirt\n"
        " 5 of 100  T-shirt/top taken for Trouser"
    )
    assert confused_pairs(counts, 1) == [Pair(2, 0, 40, 100)]


def test_a_class_without_images_has_no_accuracy():
    assert confusion_table([[0, 0], [0, 2]]).splitlines()[1] == "0           0      0         -"


def test_names_are_made_up_harmless_and_cut():
    assert class_names(["a\x1b[2J", "", "W" * 30], 4) == ["a␛[2J", "1", "W" * 23 + "…", "3"]
    assert "\x1b" not in confusion_table([[1]], ["\x1b[2J"])


@pytest.mark.parametrize("classes", [1, 2, 10, 26, 47, 100, 300])
def test_confusion_picture_fits_its_frame(classes: int):
    counts = [[90 if row == column else (row * column) % 3 for column in range(classes)] for row in range(classes)]
    root = parse(draw_confusion("M", counts, [f"class number {index}" for index in range(classes)]))
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    for rect in root.iter(f"{SVG}rect"):
        assert float(rect.attrib["x"]) + float(rect.attrib["width"]) <= width
        assert float(rect.attrib["y"]) + float(rect.attrib["height"]) <= height
    shown = [element.text for element in root.iter(f"{SVG}text")]
    # Counts and names where they can be read; else the names of the classes that are confused most.
    assert ("90" in shown) == (classes <= 20)
    assert ("class number 0" in shown) == (classes <= 34)
    assert ("most often confused" in shown) == (classes > 2)
    if classes > 34:
        assert 2 <= sum(text.startswith("class number") and "taken" not in text for text in filter(None, shown)) <= 16


def test_sheet_marks_what_is_wrong():
    grey = Picture(bytes(range(16)), 4, 4, 1)
    sheet = [
        Tile(grey, "Shirt", 0.973, "Shirt"), Tile(grey, "Coat", 0.5, "Dress", "b.png"),
        Tile(Picture(bytes(48), 4, 4, 3), "Bag", 1.0),
    ]  # fmt: skip
    svg = draw_sheet("LeNet", sheet)
    assert texts(svg) == [
        "LeNet", "3 pictures, 1 of 2 right", "Shirt", "97.3 %", "is", "Dress", "taken", "Coat", "50.0 %", "b.png", "Bag",
        "100.0 %",
    ]  # fmt: skip
    (wrong,) = [text for text in parse(svg).iter(f"{SVG}text") if text.get("fill") == PALETTE["orange"][0]]
    assert wrong.text == "Coat"
    assert texts(draw_sheet("M", sheet * 100, limit=10))[1] == "300 pictures, 100 of 200 right, 10 shown"
    assert texts(draw_sheet("M", [])) == ["M", "0 pictures"]


def test_probabilities_are_not_rounded_to_certainty():
    assert [percent(p) for p in (0.0, 0.12345, 0.99999, 1.0)] == ["0.0 %", "12.3 %", "99.9 %", "100.0 %"]


def test_png_is_read_by_pillow():
    image = pytest.importorskip("PIL.Image")
    for channels, mode in ((1, "L"), (3, "RGB")):
        pixels = bytes(i % 251 for i in range(5 * 7 * channels))
        read = image.open(io.BytesIO(png(Picture(pixels, 5, 7, channels))))
        assert (read.mode, read.size, read.tobytes()) == (mode, (5, 7), pixels)


@pytest.mark.parametrize("picture", [Picture(b"", 0, 0, 1), Picture(b"abc", 2, 2, 1), Picture(bytes(16), 2, 2, 4)])
def test_bytes_that_are_no_picture(picture: Picture):
    with pytest.raises(ValueError, match="are no picture of"):
        png(picture)


def test_large_pictures_lose_pixels():
    large = Picture(bytes(1000 * 700 * 3), 1000, 700, 3)
    (image,) = parse(draw_sheet("M", [Tile(large, "a", 0.5)])).iter(f"{SVG}image")
    head = b64decode(image.attrib["href"].split(",")[1])[16:24]
    assert (int.from_bytes(head[:4], "big"), int.from_bytes(head[4:], "big")) == (192, 134)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_text(name: str):
    grey = Picture(bytes(4), 2, 2, 1)
    pictures = [
        draw_curves(name, history(3)),
        draw_confusion(name, [[3, 1], [2, 2]], [name, name]),
        draw_sheet(name, [Tile(grey, name, 0.5, name + "!", name)]),
    ]
    for svg in pictures:
        parse(svg)
        svg.encode()
        assert "<script" not in svg
        assert len(svg) < 20_000
        assert not [c for c in svg if ord(c) < 32 and c != "\n"]


def test_canvas_escapes_attributes_and_follows_the_viewer():
    canvas = Canvas(10, 10, "t")
    canvas.line(0, 0, 1, 1, 'x" onload="y')
    canvas.line(0, 0, 1, 1, "blue", stroke_width=2)
    svg = canvas.svg()
    parse(svg)
    assert '<line x1="0" y1="0" x2="1" y2="1" stroke="#00569c" stroke-width="2" class="s-blue"/>' in svg
    assert "@media (prefers-color-scheme:dark){" in svg


def test_small_helpers():
    assert [shorten("abcdef", 6), shorten("abcdefg", 6), shorten("abcd efg", 6)] == ["abcdef", "abcde…", "abcd…"]
    assert [decimals(v, 3) for v in (None, 0.12345, 12345.0, math.nan, math.inf)] == [
        "-",
        "0.123",
        "1.23e+04",
        "nan",
        "inf",
    ]
