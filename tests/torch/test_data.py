"""Data sets: where they are found, what comes with the package, streams, torchvision, downloads."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import http.client
import http.server
import os
import sys
import threading
import time
import zlib
from pathlib import Path

import pytest
import torch

from cnnspec.recipe import datasets as catalogue
from cnnspec.recipe.datasets import MNIST, FashionMNIST, ImageFolder, Torchvision
from cnnspec.training.augment.prepare import prepare
from cnnspec.training.data import archives, formats, locations, readers, splits
from cnnspec.training.data.load import Data, MissingData, Split, Stream, load_data
from cnnspec.training.data.loader import Loader
from cnnspec.training.distributed import Group
from cnnspec.training.restore import recipe_from

from .data_files import broken_folder, fails, folder, idx, images, write_idx
from .data_files import nothing_installed as nothing_installed

SYSTEM = Path("/usr/share/datasets/fashion-mnist")

# --- where files are looked for ---


def test_folders_that_are_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for place, n in (("system", 10), ("cache/cnnspec", 11), ("own", 12)):
        write_idx(tmp_path / place / "fashion-mnist", n=n)
    write_idx(tmp_path / "given" / "FashionMNIST" / "raw", n=13)
    assert len(load_data("FashionMNIST").train) == 11
    monkeypatch.setenv("CNNSPEC_DATA", str(tmp_path / "own"))
    assert len(load_data("FashionMNIST").train) == 12
    assert len(load_data("FashionMNIST", path=tmp_path / "given").train) == 13
    for name in list((tmp_path / "own" / "fashion-mnist").iterdir()):
        name.unlink()
    assert len(load_data("FashionMNIST").train) == 11


def test_files_of_another_set_are_not_taken_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """MNIST, KMNIST and Fashion-MNIST use the same names: only a path that is given is trusted itself."""
    monkeypatch.setenv("CNNSPEC_DATA", str(tmp_path))
    write_idx(tmp_path)
    with pytest.raises(MissingData):
        load_data("KMNIST")
    assert len(load_data("KMNIST", path=tmp_path).train) == 12


def test_missing_data_says_where_it_looked_and_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CNNSPEC_DATA", "/nowhere\x1b[31m")
    (tmp_path / "system").mkdir()
    with pytest.raises(MissingData) as raised:
        load_data("FashionMNIST")
    assert str(raised.value).splitlines() == [
        "FashionMNIST is not on this machine",
        f"  looked in /nowhere\u241b[31m ($CNNSPEC_DATA, does not exist), {tmp_path}/cache/cnnspec (the cache, does not"
        f" exist), {tmp_path}/system (the system's data sets)",
        "  put train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz and"
        " t10k-labels-idx1-ubyte.gz (packed or not) into a folder and give it with --data FOLDER: there or in its folder"
        " fashion-mnist",
        "  or let --download fetch 33 MB from fashion-mnist.s3-website.eu-central-1.amazonaws.com",
        "  or install the package dataset-fashion-mnist of Debian and Ubuntu",
    ]


def test_what_is_only_half_there_is_named(tmp_path: Path):
    write_idx(tmp_path)
    (tmp_path / "t10k-images-idx3-ubyte.gz").unlink()
    with fails("MNIST is not on this machine", f"{tmp_path} has only one half of it"):
        load_data("MNIST", path=tmp_path)


def test_a_path_that_is_no_archive(tmp_path: Path):
    path = tmp_path / "notes.txt"
    path.write_text("hello" * 300)
    with fails("notes.txt is neither a folder nor a readable archive"):
        load_data("MNIST", path=path)
    with fails("CIFAR10 is not on this machine", "missing.tar.gz .--data, does not exist"):
        load_data("CIFAR10", path=tmp_path / "missing.tar.gz")


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write_idx(tmp_path)

    def refuse(path: object, *args: object):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(archives, "open", refuse, raising=False)
    with fails(f"can't read {tmp_path}: permission denied"):
        load_data("MNIST", path=tmp_path)


def test_names_and_arguments(tmp_path: Path):
    with fails("there is no data set `FashonMini`", "did you mean `FashionMini`"):
        load_data("FashonMini")
    with fails("EMNIST needs split"):
        load_data("EMNIST")
    with fails("channels of ImageFolder can't be 2", "has to be 1 .grey. or 3 .colours."):
        load_data(ImageFolder("x", channels=2))
    with fails("ImageFolder has no path: write it in the recipe or give --data PATH"):
        load_data("ImageFolder")
    with fails("Npz has no path"):
        load_data("Npz")


# --- what comes with the package ---


@pytest.mark.parametrize(
    ("name", "train", "test", "shape", "digest"),
    [
        ("FashionMini", 5000, 1000, (1, 28, 28), "9248343444a98b2dfffe606cad68d7657b6971244b2048d58e66726ec7f13ea3"),
        ("Digits", 1433, 364, (1, 8, 8), "fc72cebaacfcbd193e89279829b3f689fa77ab69242e121393ae299e1f601eb2"),
    ],
)
def test_embedded_sets(name: str, train: int, test: int, shape: tuple[int, ...], digest: str):
    data = load_data(name)
    assert (len(data.train), len(data.test), data.shape, data.origin) == (train, test, shape, "cnnspec")
    assert len(data.classes) == 10
    content = bytes(torch.cat([data.train.images, data.test.images]).flatten().tolist())
    labels = bytes(torch.cat([data.train.labels, data.test.labels]).tolist())
    assert hashlib.sha256(labels + content).hexdigest() == digest
    for split in (data.train, data.test):
        counts = split.labels.bincount()
        assert int(counts.max() - counts.min()) <= 7


def test_embedded_fashion_loads_quickly():
    best = 9.0
    for _ in range(5):
        start = time.process_time()
        load_data("FashionMini")
        best = min(best, time.process_time() - start)
    assert best < 0.3


def test_digits_use_the_whole_range():
    assert load_data("Digits").train.images.unique().tolist() == [value * 255 // 16 for value in range(17)]


def test_embedded_sets_take_no_path(tmp_path: Path):
    with fails("Digits comes with cnnspec and is read from no other place: leave out --data"):
        load_data("Digits", path=tmp_path)


@pytest.mark.parametrize("content", [None, b"", b"no xz", zlib.compress(b"x")])
def test_a_broken_installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None):
    path = tmp_path / "digits.xz"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setattr(formats, "resource", lambda *parts: path)
    with fails("the installation is broken"):
        load_data("Digits")


def test_an_embedded_file_of_another_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import lzma

    (tmp_path / "digits.xz").write_bytes(lzma.compress(bytes(99)))
    monkeypatch.setattr(formats, "resource", lambda *parts: tmp_path / "digits.xz")
    with fails("the installation is broken: digits.xz has 99 bytes"):
        load_data("Digits")


def test_a_python_without_lzma(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "lzma", None)
    with fails("built without lzma"):
        load_data("Digits")


@pytest.mark.skipif(not SYSTEM.is_dir(), reason="needs the Debian package dataset-fashion-mnist")
def test_the_embedded_images_are_those_of_the_full_set(monkeypatch: pytest.MonkeyPatch):
    full, mini = load_data("FashionMNIST", path=SYSTEM), load_data("FashionMini")
    assert (len(full.train), len(full.test)) == (60_000, 10_000)
    for split, small, each in ((full.train, mini.train, 500), (full.test, mini.test, 100)):
        first = [(split.labels == label).nonzero().flatten()[:each] for label in range(10)]
        chosen = torch.cat(first).sort().values
        assert torch.equal(split.images[chosen], small.images)
        assert torch.equal(split.labels[chosen], small.labels)
    ((mean, std),) = full.train.statistics()
    assert mean == pytest.approx((0.2860,), abs=5e-5)
    assert std == pytest.approx((0.3530,), abs=5e-5)


# --- streams ---


@pytest.mark.parametrize("workers", [0, 2])
def test_a_stream_gives_what_memory_gives(tmp_path: Path, workers: int):
    root = folder(tmp_path, ("train", "test"), each=7)
    held = load_data("ImageFolder", path=root)
    data = load_data("ImageFolder", path=root, memory=0, workers=workers)
    assert isinstance(data.train, Stream)
    assert (len(data.train), data.shape, data.classes) == (21, held.shape, held.classes)
    state = torch.get_rng_state()
    for seed in range(3):
        order = torch.randperm(21, generator=torch.Generator().manual_seed(seed))
        for (x, y), (a, b) in zip(data.train.batches(order, 4), held.train.batches(order, 4), strict=True):
            assert torch.equal(x, a)
            assert torch.equal(y, b)
            assert (x.dtype, y.dtype, len(x)) == (torch.uint8, torch.int64, len(y))
    assert torch.equal(torch.get_rng_state(), state)
    assert data.train.statistics() == held.train.statistics()
    data.train.close()


def test_a_stream_may_be_left_and_begun_anew(tmp_path: Path):
    data = load_data("ImageFolder", path=folder(tmp_path, ("train", "test"), each=20), memory=0, workers=2)
    for _ in range(3):
        for _, labels in data.train.batches(torch.arange(60), 4):
            assert labels.tolist() == [0, 0, 0, 0]
            break
    assert torch.cat([labels for _, labels in data.train.batches(torch.arange(60), 7)]).bincount().tolist() == [20] * 3
    assert list(data.train.batches(torch.arange(0), 4)) == []
    data.train.close()


@pytest.mark.parametrize("workers", [0, 1])
def test_broken_pictures_in_a_stream(tmp_path: Path, workers: int):
    root = broken_folder(tmp_path)
    strict = load_data("ImageFolder", path=root, memory=0, workers=workers)
    with fails("cat/1.png is no picture that can be read", "--skip-broken"):
        list(strict.train.batches(torch.arange(12), 3))
    data = load_data("ImageFolder", path=root, memory=0, workers=workers, skip_broken=True)
    for _ in range(2):
        sizes = [len(labels) for _, labels in data.train.batches(torch.arange(12), 2)]
        assert sizes == [1, 2, 2, 1, 2, 2]
        assert len(data.skipped) == 2
    assert [len(labels) for _, labels in data.train.batches(torch.tensor([1, 0]), 1)] == [1]
    data.train.close()


def test_a_worker_that_dies(tmp_path: Path):
    data = load_data("ImageFolder", path=folder(tmp_path, ("train", "test")), memory=0, workers=1)
    data.train.source = Deadly()
    with fails("a process that reads images has died", "fewer workers"):
        list(data.train.batches(torch.arange(12), 3))


class Deadly:
    shape, threads = (3, 6, 8), 1

    def __len__(self) -> int:
        return 12

    def read(self, index: int):
        os._exit(7)


class Logged:
    """A source that notes in a file what has been read."""

    shape, threads = (1, 1, 1), 1

    def __init__(self, path: Path) -> None:
        self.path = path

    def __len__(self) -> int:
        return 200

    def read(self, index: int):
        with open(self.path, "a") as file:
            file.write(".")
        return torch.zeros(1, 1, 1, dtype=torch.uint8), index


def test_workers_are_only_two_batches_ahead(tmp_path: Path):
    stream = Stream(Logged(tmp_path / "log"), workers=1)
    batches = stream.batches(torch.arange(200), 5)
    for _ in range(3):
        assert len(next(batches)[1]) == 5
    time.sleep(0.5)
    assert (tmp_path / "log").stat().st_size <= (3 + 2) * 5
    stream.close()


def test_batches_of_a_stream_go_to_its_device(tmp_path: Path):
    data = load_data("ImageFolder", path=folder(tmp_path, ("train", "test")), memory=0, workers=0).to("meta")
    images_, labels = next(data.train.batches(torch.arange(4), 4))
    assert images_.device.type == labels.device.type == "meta"


# --- splits in memory ---


def test_batches_and_devices():
    data = load_data("Digits")
    order = torch.arange(10, 0, -1)
    found = list(data.train.batches(order, 4))
    assert [len(labels) for _, labels in found] == [4, 4, 2]
    assert torch.equal(torch.cat([x for x, _ in found]), data.train.images[order])
    assert list(data.train.batches(order[:0], 4)) == []
    moved = data.to("meta")
    assert moved.train.images.device.type == moved.test.labels.device.type == "meta"
    assert data.train.images.device.type == "cpu"
    data.train.close()


def test_a_split_without_room_on_its_device_stays_in_memory(monkeypatch: pytest.MonkeyPatch):
    split, order = load_data("Digits").train, torch.arange(10, 0, -1)
    size = split.inputs.nbytes + split.targets.nbytes
    monkeypatch.setattr(splits, "free_memory", lambda device: 2 * size)
    assert split.to("meta").images.device.type == "meta"
    monkeypatch.setattr(splits, "free_memory", lambda device: 2 * size - 1)
    kept = split.to("meta")
    assert (kept.images.device.type, kept.resident) == ("cpu", False)
    inputs, targets = next(kept.batches(order, 4))
    assert inputs.device.type == targets.device.type == "meta"
    assert kept.to("cpu").resident


def test_steps_are_the_same_wherever_the_samples_lie():
    data = load_data("Digits")
    recipe = recipe_from({"data": "Digits", "augment": "[RandomCrop(8, padding=1)]"})
    loader = Loader(
        data.train, prepare(recipe, data.shape, data.train.statistics()), seed=1, batch=64, parts=2, group=Group(),
        device=torch.device("cpu"),
    )  # fmt: skip
    found = list(loader.batches(1, 3))
    loader.split = dataclasses.replace(data.train, goes_to=torch.device("cpu"))
    for (parts, targets), (others, same) in zip(found, loader.batches(1, 3), strict=True):
        assert torch.equal(targets, same)
        assert all(torch.equal(one.inputs, other.inputs) for one, other in zip(parts, others, strict=True))


def test_statistics_are_exact():
    values = torch.tensor([0, 0, 255, 255, 51], dtype=torch.uint8).view(5, 1, 1, 1).expand(5, 2, 1, 1).clone()
    values[:, 1] = 255
    ((mean, std),) = Split(values, torch.zeros(5)).statistics()
    exact = torch.tensor([0, 0, 1, 1, 0.2], dtype=torch.float64)
    assert mean == (float(exact.mean()), 1.0)
    assert std == pytest.approx((float(exact.std(correction=0)), 1.0))


def test_data_says_what_it_is():
    data = load_data("Digits")
    assert isinstance(data, Data)
    assert data.skipped == ()
    assert (data.train.images.dtype, data.train.images.dim()) == (torch.uint8, 4)


# --- torchvision ---

FAKE = """
class _Items:
    classes = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"]
    def __init__(self, root, **arguments):
        if root.endswith("nothing"):
            raise RuntimeError("Dataset not found. You can use download=True to download it")
        self.root, self.arguments = root, arguments
    def __len__(self):
        return 20
    def __getitem__(self, index):
        from PIL import Image
        if index == 13 and self.root.endswith("broken"):
            raise OSError("no such image")
        return Image.new(self.mode, self.size, index), 99 if self.root.endswith("label") else index % 10
class USPS(_Items):
    mode, size = "L", (16, 16)
class EuroSAT(_Items):
    mode, size = "RGB", (64, 64)
class DTD(_Items):
    mode, size = "RGB", (9, 7)
    classes = None
"""


@pytest.fixture
def torchvision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A torchvision with the given text as `datasets`."""

    def install(text: str) -> None:
        home = tmp_path / "site" / "torchvision"
        home.mkdir(parents=True)
        (home / "__init__.py").write_text("")
        (home / "datasets.py").write_text(text)
        monkeypatch.syspath_prepend(str(home.parent))

    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        monkeypatch.delitem(sys.modules, name)
    yield install
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]


def test_torchvision(tmp_path: Path, torchvision):
    torchvision(FAKE)
    data = load_data(Torchvision("USPS"), path=tmp_path)
    assert (len(data.train), len(data.test), data.shape, data.classes[2]) == (20, 20, (1, 16, 16), "c")
    assert data.train.images[7, 0, 3, 3] == 7
    assert data.origin == f"torchvision, {tmp_path}"
    one = load_data(Torchvision("EuroSAT"), path=tmp_path)
    assert (len(one.train), len(one.test)) == (16, 4)
    kept, used = set(one.test.images[:, 0, 0, 0].tolist()), set(one.train.images[:, 0, 0, 0].tolist())
    assert not kept & used
    assert load_data(Torchvision("DTD"), path=tmp_path).shape == (3, 7, 9)
    assert load_data(Torchvision("DTD", 5, 1), path=tmp_path).train.images.shape == (20, 1, 5, 5)
    stream = load_data(Torchvision("USPS", 8), path=tmp_path, memory=0, workers=0)
    assert next(stream.train.batches(torch.arange(3), 3))[0].shape == (3, 1, 8, 8)


def test_what_torchvision_can_not_load(tmp_path: Path, torchvision):
    torchvision(FAKE)
    with fails("torchvision can't load USPS: Dataset not found", "looked in .*nothing"):
        load_data(Torchvision("USPS"), path=tmp_path / "nothing")
    with fails("torchvision can't load SVHN"):
        load_data(Torchvision("SVHN"), path=tmp_path)
    with fails("torchvision can't read image 13: no such image"):
        load_data(Torchvision("USPS"), path=tmp_path / "broken")
    with fails("image 0 has the shape .* and the label 99", "labels below 10"):
        load_data(Torchvision("USPS"), path=tmp_path / "label")
    assert len(load_data(Torchvision("USPS"), path=tmp_path / "broken", skip_broken=True).skipped) == 2


def test_a_torchvision_made_for_another_torch(torchvision):
    torchvision("raise RuntimeError('operator torchvision::nms does not exist')")
    with fails("torchvision is installed, but can't be imported: operator torchvision::nms", "made for torch 2"):
        load_data(Torchvision("USPS"))


def test_no_torchvision(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "torchvision", None)
    with fails("this data set needs torchvision", r"pip install 'cnnspec\[vision\]'"):
        load_data(Torchvision("USPS"))


def test_torchvision_is_asked_to_download(tmp_path: Path, torchvision):
    torchvision(
        FAKE.replace(
            "self.root, self", "__import__('pathlib').Path(root, 'asked').write_text(str(arguments)); self.root, self"
        )
    )
    load_data(Torchvision("USPS"), path=tmp_path, download=True)
    assert (tmp_path / "asked").read_text() == "{'train': False, 'download': True}"


# --- downloads ---


class Handler(http.server.BaseHTTPRequestHandler):
    files: dict[str, bytes] = {}
    cut = False

    def do_GET(self) -> None:
        content = self.files.get(self.path.lstrip("/"))
        if content is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if self.cut else content)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch):
    """A server on this machine that has MNIST, and the catalogue pointing to it."""
    names = catalogue.IDX_FILES
    contents = [images(12, 28, 28), torch.arange(12) % 10, images(12, 28, 28, seed=1), torch.arange(12) % 10]
    Handler.files, Handler.cut = {name: gzip.compress(idx(values)) for name, values in zip(names, contents)}, False
    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    mirror = f"http://127.0.0.1:{running.server_port}/"
    files = tuple(
        catalogue.Download(name, (f"{mirror}gone/{name}", mirror + name), "md5:" + hashlib.md5(content).hexdigest(), 1)
        for name, content in Handler.files.items()
    )
    monkeypatch.setattr(MNIST, "downloads", files)
    yield Handler
    running.shutdown()
    running.server_close()


def test_download(tmp_path: Path, server):
    seen: list[tuple[str, int, int]] = []
    data = load_data("MNIST", download=True, report=lambda *facts: seen.append(facts))
    home = tmp_path / "cache" / "cnnspec" / "mnist"
    assert (len(data.train), data.origin) == (12, str(home))
    assert sorted(path.name for path in home.iterdir()) == sorted(catalogue.IDX_FILES)
    name, received, total = seen[-1]
    assert (name, received) == (catalogue.IDX_FILES[-1], total)
    seen.clear()
    load_data("MNIST", download=True, report=lambda *facts: seen.append(facts))
    assert not seen
    (home / name).unlink()
    load_data("MNIST", download=True, report=lambda *facts: seen.append(facts))
    assert {facts[0] for facts in seen} == {name}
    assert len(load_data("MNIST", path=tmp_path / "own", download=True).train) == 12
    assert (tmp_path / "own" / "mnist" / name).is_file()


def test_downloads_that_fail(tmp_path: Path, server, monkeypatch: pytest.MonkeyPatch):
    name = catalogue.IDX_FILES[0]
    content = server.files[name]
    server.files[name] = content + b"x"
    with fails(f"can't download {name}", "the server answers 404", "gives other bytes than expected: md5"):
        load_data("MNIST", download=True)
    server.files[name] = bytes(18 << 20)
    with fails("gives more than 17,825,792 bytes"):
        load_data("MNIST", download=True)
    server.files[name], server.cut = content, True
    with fails("the connection broke|ended after"):
        load_data("MNIST", download=True)
    assert not list((tmp_path / "cache").rglob("*.tmp.*"))
    assert not list((tmp_path / "cache").rglob("*ubyte*"))
    files = tuple(catalogue.Download(name, ("http://127.0.0.1:9/x",), "md5:0", 1) for name in catalogue.IDX_FILES)
    monkeypatch.setattr(MNIST, "downloads", files)
    with fails("can't download", "refused"):
        load_data("MNIST", download=True)
    files = tuple(catalogue.Download(name, ((tmp_path / "x").as_uri(),), "md5:0", 1) for name in catalogue.IDX_FILES)
    (tmp_path / "x").write_bytes(b"x")
    monkeypatch.setattr(MNIST, "downloads", files)
    with fails("the address leads to no web server"):
        load_data("MNIST", download=True)


def test_a_connection_that_breaks(tmp_path: Path, server, monkeypatch: pytest.MonkeyPatch):
    def reset(response: object, amount: int) -> bytes:
        raise ConnectionResetError(104, "Connection reset by peer")

    monkeypatch.setattr(http.client.HTTPResponse, "read", reset)
    with fails("can't download", "the connection broke: .*reset by peer"):
        load_data("MNIST", download=True)


def test_a_place_where_nothing_can_be_written(tmp_path: Path, server):
    (tmp_path / "file").write_text("")
    with fails("can't write to .*below/mnist: Not a directory"):
        load_data("MNIST", path=tmp_path / "file" / "below", download=True)


def test_what_can_not_be_downloaded(tmp_path: Path):
    with fails("ImageFolder can't be downloaded"):
        locations.download(ImageFolder("x"), None)
    with fails("no such file or directory"):
        load_data(ImageFolder(str(tmp_path / "none")), download=True)


def test_each_layout_has_a_reader():
    assert {kind.layout for kind in catalogue.DATA_SETS.values()} == set(readers.READERS)


def test_a_source_in_memory_or_not():
    class Counting:
        shape, threads, dtype = (1, 2, 2), 3, torch.uint8

        def __len__(self) -> int:
            return 50

        def read(self, index: int):
            return torch.full((1, 2, 2), index, dtype=torch.uint8), index % 2

    source = Counting()
    held = splits.load_split(source, 200, None, skip_broken=False)
    assert isinstance(held, Split)
    assert held.images[:, 0, 0, 0].tolist() == list(range(50))
    streamed = splits.load_split(source, 199, None, skip_broken=False)
    assert isinstance(streamed, Stream)
    assert 1 <= streamed.workers <= 4


def test_fashion_mnist_is_found_where_debian_puts_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(locations, "SYSTEM", SYSTEM.parent)
    assert FashionMNIST.folders[0] == SYSTEM.name
    if SYSTEM.is_dir():
        assert locations.candidates(FashionMNIST(), None) == [SYSTEM]
