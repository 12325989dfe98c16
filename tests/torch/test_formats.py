"""Reading files of data sets: right, damaged and hostile ones."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import struct
import tarfile
import time
import zipfile
from pathlib import Path

import pytest
import torch

from cnnspec.recipe.datasets import CIFAR10, CIFAR100, EMNIST, MNIST, Npz
from cnnspec.training.data import archives, formats, safe_pickle
from cnnspec.training.data.load import DataError, load_data

from .data_files import fails, idx, images, write_idx
from .data_files import nothing_installed as nothing_installed

# --- IDX files ---


def test_idx_packed_and_not(tmp_path: Path):
    write_idx(tmp_path / "packed")
    write_idx(tmp_path / "plain", pack=bytes, end="")
    for folder in ("packed", "plain"):
        data = load_data(MNIST(), path=tmp_path / folder)
        assert torch.equal(data.train.images, images(12, 1, 28, 28))
        assert torch.equal(data.test.images, images(12, 1, 28, 28, seed=1))
        assert data.train.labels.tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]
        assert (data.name, data.shape, data.origin) == ("MNIST", (1, 28, 28), str(tmp_path / folder))
        assert data.train.labels.dtype is torch.int64


def test_names_as_kaggle_spells_them(tmp_path: Path):
    write_idx(tmp_path, pack=bytes, end="")
    for path in list(tmp_path.iterdir()):
        path.rename(path.with_name(path.name.replace("-idx", ".idx")))
    assert len(load_data("MNIST", path=tmp_path).train) == 12


def test_emnist_is_turned_upright_and_letters_start_at_0(tmp_path: Path):
    archive = tmp_path / "gzip.zip"
    with zipfile.ZipFile(archive, "w") as target:
        for seed, split in enumerate(("train", "test")):
            name = f"gzip/emnist-letters-{split}"
            target.writestr(f"{name}-images-idx3-ubyte.gz", gzip.compress(idx(images(3, 28, 28, seed=seed))))
            target.writestr(f"{name}-labels-idx1-ubyte.gz", gzip.compress(idx(torch.tensor([1, 26, 2]))))
    for path in (archive, tmp_path):
        data = load_data(EMNIST("letters"), path=path)
        assert torch.equal(data.train.images[:, 0], images(3, 28, 28).transpose(1, 2))
        assert [data.classes[label] for label in data.train.labels] == ["a", "z", "b"]
    with fails("EMNIST is not on this machine", "put gzip.zip into a folder"):
        load_data(EMNIST("digits"), path=tmp_path)


HEAD = bytes([0, 0, 8, 3])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no images in the IDX format: it begins with nothing"),
        (b"PK\3\4" + bytes(40), "it begins with 50 4b 03 04"),
        (bytes([0, 0, 13, 3]) + bytes(12), "it begins with 00 00 0d 03"),
        (bytes([0, 0, 8, 1]) + bytes(12), "it begins with 00 00 08 01"),
        (HEAD + struct.pack(">3I", 2, 28, 28) + bytes(100), "states 1,568 bytes, but only 100 follow"),
        (HEAD + struct.pack(">3I", 1, 28, 28) + bytes(785), "states 784 bytes, but more follow"),
        (HEAD + struct.pack(">3I", 0, 2**32 - 1, 2**32 - 1), "is empty"),
        (HEAD + struct.pack(">3I", *[2**32 - 1] * 3), "larger than 4,294,967,296 bytes"),
        (gzip.compress(idx(images(2, 28, 28)))[:-300], "is damaged: Compressed file ended"),
        (gzip.compress(idx(images(2, 28, 28)))[:40] + bytes(600), "is damaged"),
        (b"\x1f\x8b" + bytes(30), "is damaged"),
    ],
)
def test_damaged_idx(tmp_path: Path, content: bytes, words: str):
    write_idx(tmp_path)
    (tmp_path / "train-images-idx3-ubyte").write_bytes(content or b"\0")
    (tmp_path / "train-images-idx3-ubyte.gz").unlink()
    if content:
        with fails(words, "train-images-idx3-ubyte"):
            load_data("MNIST", path=tmp_path)
    with fails(words):
        formats.read_idx(bytearray(content), "x", 3)


def test_a_header_that_lies_costs_no_memory():
    """It states 4 GB; 32 MB of zeros follow, packed. Only those are ever held."""
    packed = gzip.compress(HEAD + struct.pack(">3I", 4096, 1024, 1024) + bytes(1 << 20))
    start = time.perf_counter()
    with fails("states 4,294,967,296 bytes, but only 1,048,576 follow"):
        formats.read_idx(bytearray(packed), "x", 3)
    assert time.perf_counter() - start < 2


def test_a_gzip_bomb_stops_at_what_its_header_states():
    bomb = gzip.compress(HEAD + struct.pack(">3I", 1, 28, 28) + bytes(1 << 26))
    with fails("states 784 bytes, but more follow"):
        formats.read_idx(bytearray(bomb), "x", 3)


def test_halves_that_do_not_agree(tmp_path: Path):
    write_idx(tmp_path)
    (tmp_path / "t10k-labels-idx1-ubyte.gz").write_bytes(idx(torch.arange(5)))
    with fails("holds 12 images, but", "t10k-labels-idx1-ubyte.gz 5 labels"):
        load_data("MNIST", path=tmp_path)
    (tmp_path / "t10k-labels-idx1-ubyte.gz").write_bytes(idx(torch.tensor([10] * 12)))
    with fails("MNIST has 10 classes, but here is a label 10", "read from"):
        load_data("MNIST", path=tmp_path)
    (tmp_path / "t10k-images-idx3-ubyte.gz").write_bytes(idx(images(12, 32, 32)))
    with fails(r"images of MNIST are \[1, 28, 28\], but those for test here \[1, 32, 32\]"):
        load_data("MNIST", path=tmp_path)


# --- CIFAR ---


def cifar_records(n: int, labels: int, classes: int, seed: int = 0) -> bytes:
    pixels = images(n, 3072, seed=seed)
    numbers = torch.stack(
        [torch.arange(n) % (7 if labels == 2 and column == 0 else classes) for column in range(labels)], 1
    )
    return bytes(torch.cat([numbers.to(torch.uint8), pixels], 1).flatten().tolist())


def python2_pickle(n: int, keys: dict[str, list[int]], seed: int = 0) -> bytes:
    """A batch as Python 2's cPickle wrote it (protocol 2, str for names and bytes, long lists in the memo)."""
    raw = bytes(images(n, 3072, seed=seed).flatten().tolist())

    def short(text: str) -> bytes:
        return b"U" + bytes([len(text)]) + text.encode()

    out = b"\x80\x02}q\x01(" + short("batch_label") + b"q\x02" + short("testing batch 1 of 1") + b"q\x03"
    for position, (key, values) in enumerate(keys.items(), 4):
        items = b"".join(b"K" + bytes([value]) for value in values)
        out += short(key) + b"]q" + bytes([position]) + b"(" + items + b"e"
    out += (
        short("data")
        + b"cnumpy.core.multiarray\n_reconstruct\nq\x20cnumpy\nndarray\nq\x21K\x00\x85"
        + short("b")
        + b"\x87Rq\x22"
    )
    out += (
        b"(K\x01M" + struct.pack("<H", n) + b"M\x00\x0c\x86cnumpy\ndtype\nq\x23" + short("u1") + b"K\x00K\x01\x87Rq\x24"
    )
    out += (
        b"(K\x03"
        + short("|")
        + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T"
        + struct.pack("<I", len(raw))
        + raw
    )
    return out + b"tb" + short("filenames") + b"]q\x25(" + b"".join(short(f"{i}.png") for i in range(n)) + b"eu."


def cifar10_files(version: str) -> dict[str, bytes]:
    names = [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]
    if version == "binary":
        return {f"{name}.bin": cifar_records(4, 1, 10, seed) for seed, name in enumerate(names)}
    return {name: python2_pickle(4, {"labels": [0, 1, 2, 3]}, seed) for seed, name in enumerate(names)}


def cifar100_files(version: str) -> dict[str, bytes]:
    if version == "binary":
        return {f"{name}.bin": cifar_records(6, 2, 100, seed) for seed, name in enumerate(("train", "test"))}
    keys = {"fine_labels": [0, 1, 2, 3, 4, 5], "coarse_labels": [0, 1, 2, 3, 4, 5]}
    return {name: python2_pickle(6, keys, seed) for seed, name in enumerate(("train", "test"))}


def tar(path: Path, files: dict[str, bytes], mode: str = "w:gz", folder: str = "cifar/") -> None:
    with tarfile.open(path, mode) as archive:
        for name, content in {"readme.html": b"<html>", "batches.meta": b"\x80\x02}.", **files}.items():
            info = tarfile.TarInfo(folder + name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


@pytest.mark.parametrize("version", ["binary", "python"])
@pytest.mark.parametrize("place", ["folder", "archive", "plain archive", "inside", "downloaded", "extracted"])
def test_cifar10(tmp_path: Path, version: str, place: str):
    files = cifar10_files(version)
    path = tmp_path
    match place:
        case "archive" | "plain archive":
            path = tmp_path / "any.tar.gz"
            tar(path, files, "w:gz" if place == "archive" else "w")
        case "inside":
            tar(tmp_path / f"cifar-10-{version}.tar.gz", files)
        case _:
            extracted = "cifar-10-batches-bin" if version == "binary" else "cifar-10-batches-py"
            folder = tmp_path / {"downloaded": "cifar10", "extracted": extracted}.get(place, "")
            folder.mkdir(exist_ok=True)
            for name, content in files.items():
                (folder / name).write_bytes(content)
    data = load_data(CIFAR10(), path=path)
    assert (len(data.train), len(data.test), data.shape, data.classes[1]) == (20, 4, (3, 32, 32), "automobile")
    expected = torch.cat([images(4, 3072, seed=seed) for seed in range(5)]).view(-1, 3, 32, 32)
    assert torch.equal(data.train.images, expected)
    assert data.train.labels.tolist() == [0, 1, 2, 3] * 5


@pytest.mark.parametrize("version", ["binary", "python"])
def test_cifar100_takes_the_fine_labels(tmp_path: Path, version: str):
    tar(tmp_path / f"cifar-100-{version}.tar.gz", cifar100_files(version))
    data = load_data(CIFAR100(), path=tmp_path)
    assert (data.train.labels.tolist(), len(data.classes)) == ([0, 1, 2, 3, 4, 5], 100)
    assert torch.equal(data.test.images, images(6, 3, 32, 32, seed=1))


def test_cifar_as_this_python_pickles_it(tmp_path: Path):
    """Batches that someone read and saved anew, by any protocol."""
    numpy = pytest.importorskip("numpy")
    import pickle

    pixels = numpy.array(images(4, 3072).tolist(), dtype=numpy.uint8)
    for protocol in range(2, 5):
        for key in (b"fine_labels", "fine_labels"):
            content = pickle.dumps({b"data": pixels, key: [3, 1, 0, 2]}, protocol)
            found, labels = formats.read_cifar_pickle(bytearray(content), "x", "fine_labels")
            assert torch.equal(found, images(4, 3, 32, 32))
            assert labels.tolist() == [3, 1, 0, 2]


def test_cifar_that_lacks_a_file(tmp_path: Path):
    files = cifar10_files("binary")
    del files["data_batch_3.bin"]
    tar(tmp_path / "cifar-10-binary.tar.gz", files)
    with fails("CIFAR10 is not on this machine", "cifar-10-binary.tar.gz lacks data_batch_3.bin"):
        load_data("CIFAR10", path=tmp_path)


def test_damaged_cifar(tmp_path: Path):
    for name, content in cifar100_files("binary").items():
        (tmp_path / name).write_bytes(content[:-1])
    with fails("train.bin is damaged: 18,443 bytes are no multiple of 3074"):
        load_data("CIFAR100", path=tmp_path)
    (tmp_path / "train.bin").write_bytes(b"")
    with fails("is damaged: 0 bytes"):
        formats.read_cifar_binary(bytearray(), "x", 1)
    path = tmp_path / "cut.tar.gz"
    tar(path, cifar10_files("binary"))
    path.write_bytes(path.read_bytes()[:20_000])
    with fails("cut.tar.gz"):
        load_data("CIFAR10", path=path)


ARRAY = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"


def state(dtype: bytes, shape: bytes, order: bytes, raw: bytes) -> bytes:
    return (
        ARRAY
        + b"(K\x01"
        + shape
        + b"cnumpy\ndtype\nU"
        + bytes([len(dtype)])
        + dtype
        + b"K\x00K\x01\x87R"
        + order
        + raw
        + b"tb"
    )


def batch(data: bytes, labels: bytes = b"](K\x01e") -> bytes:
    return b"\x80\x02}(U\x04data" + data + b"U\x06labels" + labels + b"u."


ONE = b"T" + struct.pack("<I", 3072) + bytes(3072)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no file of CIFAR's python version"),
        (b"hello", "no file of CIFAR's python version"),
        (b"\x80\x02K\x01.", "it holds no dictionary"),
        (b"\x80\x02}.", "it has no array `data`"),
        (b"\x80\x02}(U\x04dataK\x01u.", "it has no array `data`"),
        (b"\x80\x02}q\x01", "no file of CIFAR's python version"),
        (batch(state(b"u1", b"K\x01M\x00\x0c\x86", b"\x89", ONE), b"K\x01"), "it has no list 'labels'"),
        (
            batch(state(b"u1", b"K\x01M\x00\x0c\x86", b"\x89", ONE), b"](K\x01J\xff\xff\xff\xffe"),
            "it has no list 'labels'",
        ),
        (batch(state(b"u1", b"K\x01M\x00\x0c\x86", b"\x89", ONE), b"](K\x01K\x02e"), "2 labels for 1.0 images"),
        (batch(state(b"f8", b"K\x01M\x00\x0c\x86", b"\x89", ONE)), "not of uint8 in row order"),
        (batch(state(b"u1", b"K\x01M\x00\x0c\x86", b"\x88", ONE)), "not of uint8 in row order"),
        (batch(state(b"u1", b"K\x02M\x00\x0c\x86", b"\x89", ONE)), r"shape \(2, 3072\) for 3,072 bytes"),
        (batch(state(b"u1", b"K\x01M\x00\x0c\x86", b"\x89", b"N")), "has no bytes"),
        (batch(state(b"u1", b"K\x01M\x00\x0c\x86", b"\x89", b"X\x03\0\0\0\xe2\x82\xac")), "has no bytes"),
        (b"\x80\x02cos\nsystem\nU\x04true\x85R.", "it asks for `os.system`, which data doesn't need"),
        (b"\x80\x04\x8c\x02os\x8c\x06system\x93.", "it asks for `os.system`"),
        (b"(S'true'\nios\nsystem\n.", "it uses INST"),
        (b"\x80\x02(cnumpy\nndarray\no.", "it uses OBJ"),
        (b"\x80\x02cnumpy\nndarray\n)\x81.", "it uses NEWOBJ"),
        (b"\x80\x02P1\n.", "no file of CIFAR's python version"),
        (b"\x80\x02\x82\x01.", "it uses EXT1"),
        (b"\x80\x02e.", "no file of CIFAR's python version"),
        (b"\x80\x02}K\x01a.", "items for something that is no list"),
        (b"\x80\x02](U\x01aU\x01bu.", "keys for something that is no dict"),
        (b"\x80\x02}(K\x01\x85K\x02u.", "keys for something that is no dict, or that are no strings"),
        (b"\x80\x02h\x07.", "no file of CIFAR's python version"),
        (b"\x80\x02c_codecs\nencode\nX\x01\0\0\0aX\x05\0\0\0utf_7\x86R.", "in an encoding that is not used for bytes"),
        (b"\x80\x02]N b.", "no file of CIFAR's python version"),
    ],
)
def test_pickles_are_only_data(content: bytes, words: str):
    with fails(words):
        formats.read_cifar_pickle(bytearray(content), "x", "labels")


def test_no_pickle_runs_anything(tmp_path: Path):
    import pickle

    class Payload:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "ran"),)

    for protocol in range(6):
        with pytest.raises(safe_pickle.Unreadable):
            safe_pickle.load(pickle.dumps({"data": Payload(), "labels": [1]}, protocol))
    assert not (tmp_path / "ran").exists()


def test_plain_pickles_give_their_values():
    import pickle

    value = {
        "a": [1, -2, 3.5, None, True, False, 2**70],
        "b": ("x", b"y", (), (1, 2, 3), (1, 2, 3, 4)),
        "c": {},
        4: ["é" * 300],
    }
    for protocol in range(3, 6):
        assert safe_pickle.load(pickle.dumps(value, protocol)) == value
    text = {"a": [1, -2, 3.5, None, 2**70], "b": ("x", ("y",), {"z": "w"})}
    for protocol in range(3):
        assert safe_pickle.load(pickle.dumps(text, protocol)) == text


def test_deeply_nested_pickles_do_no_harm():
    safe_pickle.load(b"\x80\x02" + b"]" * 200_000 + b"a" * 199_999 + b".")
    with pytest.raises(safe_pickle.Unreadable):
        safe_pickle.load(b"\x80\x02}" + b"(" * 1 + b")" + b"\x85" * 200_000 + b"K\x01u.")


@pytest.mark.filterwarnings("ignore:invalid escape sequence")
@pytest.mark.parametrize("seed", range(3))
def test_mutated_files_give_data_or_an_error(seed: int):
    """No mutation of a good file gives anything but tensors or DataError."""
    import random

    chance = random.Random(seed)
    good = [
        (python2_pickle(2, {"labels": [0, 1]}), lambda b: formats.read_cifar_pickle(b, "x", "labels")),
        (gzip.compress(idx(images(2, 4, 4))), lambda b: formats.read_idx(b, "x", 3)),
        (idx(images(2, 4, 4)), lambda b: formats.read_idx(b, "x", 3)),
    ]
    for content, read in good:
        for _ in range(300):
            wrong = bytearray(content)
            for _ in range(chance.randint(1, 4)):
                # The beginnings hold the structure, the rest pixels.
                wrong[chance.randrange(min(len(wrong), 400))] = chance.randrange(256)
            with contextlib.suppress(DataError):
                read(wrong)


# --- archives ---


def test_archives_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "bomb.tar.gz"
    tar(path, {"train.bin": bytes(4096), "other": bytes(1 << 16)})
    assert len(archives.collect(path, {"train.bin": 4096})["train.bin"]) == 4096
    with fails("train.bin in .*bomb.tar.gz is larger than 4,095 bytes"):
        archives.collect(path, {"train.bin": 4095})
    monkeypatch.setattr(archives, "ARCHIVE_BYTES", 1 << 15)
    with fails("bomb.tar.gz is larger than 32,768 bytes"):
        archives.collect(path, {"train.bin": 4096})
    (tmp_path / "file").write_bytes(bytes(10))
    with fails("file is larger than 9 bytes"):
        archives.collect(tmp_path, {"file": 9})


def test_members_of_archives_are_never_paths_or_links(tmp_path: Path):
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as archive:
        link = tarfile.TarInfo("train.bin")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
        outside = tarfile.TarInfo("../../test.bin")
        outside.size = 3
        archive.addfile(outside, io.BytesIO(b"abc"))
    before = sorted(tmp_path.iterdir())
    assert archives.collect(path, {"train.bin": 9, "test.bin": 9}) == {"test.bin": b"abc"}
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("cut", [30, 60, 100])
def test_damaged_zip(tmp_path: Path, cut: int):
    path = tmp_path / "gzip.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x", bytes(images(1, 999).flatten().tolist()))
    content = bytearray(path.read_bytes())
    content[cut : cut + 4] = b"\xff\xff\xff\xff"
    path.write_bytes(content)
    with fails("gzip.zip"):
        archives.collect(path, {"x": 999})


# --- npz ---


def npy(
    values: torch.Tensor, dtype: str = "|u1", *, order: str = "False", shape: object = None, raw: bytes | None = None
) -> bytes:
    header = f"{{'descr': '{dtype}', 'fortran_order': {order}, 'shape': {tuple(values.shape) if shape is None else shape}, }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    if raw is None:
        width = {"1": 1, "2": 2, "4": 4, "8": 8}[dtype[-1]]
        raw = b"".join(int(value).to_bytes(width, "little", signed=dtype[1] == "i") for value in values.flatten())
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + raw


def npz(path: Path, **arrays: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in arrays.items():
            archive.writestr(f"{name}.npy", content)
    return path


def test_npz_in_the_usual_forms(tmp_path: Path):
    gray, color = images(6, 5, 4), images(6, 5, 4, 3)
    labels = torch.tensor([0, 1, 2, 0, 1, 2])
    keras = npz(tmp_path / "a.npz", x_train=npy(gray), y_train=npy(labels), x_test=npy(gray), y_test=npy(labels, "<i8"))
    data = load_data(Npz(str(keras)))
    assert (data.shape, data.classes, data.train.labels.tolist()) == ((1, 5, 4), ["0", "1", "2"], labels.tolist())
    assert torch.equal(data.test.images[:, 0], gray)
    med = npz(
        tmp_path / "b.npz", train_images=npy(color), train_labels=npy(labels[:, None]),
        val_images=npy(gray), val_labels=npy(labels), test_images=npy(color), test_labels=npy(labels[:, None], "<i4"),
    )  # fmt: skip
    data = load_data("Npz", path=med)
    assert torch.equal(data.train.images, color.permute(0, 3, 1, 2))
    first = npz(tmp_path / "c.npz", images=npy(color.permute(0, 3, 1, 2)), labels=npy(labels))
    assert load_data("Npz", path=first).shape == (3, 5, 4)


def test_npz_as_numpy_writes_it(tmp_path: Path):
    numpy = pytest.importorskip("numpy")
    pixels = numpy.arange(10 * 4 * 6, dtype=numpy.uint8).reshape(10, 4, 6)
    for save in (numpy.savez, numpy.savez_compressed):
        save(
            tmp_path / "a.npz",
            x_train=numpy.asfortranarray(pixels),
            y_train=numpy.arange(10),
            x_test=pixels,
            y_test=numpy.arange(10.0).astype("u2"),
        )
        data = load_data("Npz", path=tmp_path / "a.npz")
        assert data.train.images[:, 0].tolist() == pixels.tolist() == data.test.images[:, 0].tolist()
        assert data.train.images.is_contiguous()


def test_npz_without_a_second_half_keeps_a_fifth_of_each_class(tmp_path: Path):
    labels = torch.arange(60) % 3
    path = npz(tmp_path / "a.npz", x=npy(images(60, 5, 4)), y=npy(labels))
    first, again = load_data("Npz", path=path), load_data("Npz", path=path)
    assert first.test.labels.bincount().tolist() == [4, 4, 4]
    assert len(first.train) == 48
    assert torch.equal(first.test.images, again.test.images)


GOOD = npy(torch.zeros(2, 5, 4))


@pytest.mark.parametrize(
    ("x", "y", "words"),
    [
        (npy(torch.zeros(2, 5, 4), "|O", raw=b"\x80\x04N."), None, "Python objects, which could run code"),
        (npy(torch.zeros(2, 5, 4), "<c8", raw=bytes(320)), None, "values of type <c8; save numbers"),
        (npy(torch.zeros(2, 5, 4), "<i4"), None, r"images of Npz are \[5, 4\], but those for test here \[1, 5, 4\]"),
        (npy(torch.zeros(2, 5)), None, r"images of Npz are \[5\], but those for test here \[1, 5, 4\]"),
        (npy(torch.zeros(2, 3, 5, 3)), None, r"has the shape \[2, 3, 5, 3\]"),
        (npy(torch.zeros(2, 7, 5, 4)), None, r"has the shape \[2, 7, 5, 4\]"),
        (npy(torch.zeros(3, 5, 4)), None, r"one label for each image in .*: y_train \[2\], x_train \[3, 5, 4\]"),
        (GOOD, npy(torch.zeros(3, 2)), "one label for each image"),
        (GOOD, npy(torch.tensor([0, -1]), "<i8"), "labels are counted from 0, but Npz has a label -1 here"),
        (npy(torch.zeros(2, 5, 4), shape=(2, 5, 400)), None, "states 4,000 bytes, but only 40 follow"),
        (npy(torch.zeros(2, 5, 4), shape=(2, 5, 3)), None, "states 30 bytes, but more follow"),
        (npy(torch.zeros(2, 5, 4), shape=(2**40, 5, 4)), None, "larger than 4,294,967,296 bytes"),
        (npy(torch.zeros(2, 5, 4), shape=(0, 10**30)), None, "is empty"),
        (npy(torch.zeros(2, 5, 4), shape="(2, __import__('os'))"), None, "its header can't be read"),
        (npy(torch.zeros(2, 5, 4), order="1"), None, "its header can't be read"),
        (b"\x93NUMPY\x01\x00\xff\xff{'descr'", None, "its header can't be read"),
        (b"\x93NUMPX\x01\x00", None, "is no array of numpy"),
        (b"", None, "is no array of numpy"),
    ],
)
def test_wrong_arrays(tmp_path: Path, x: bytes, y: bytes | None, words: str):
    labels = npy(torch.tensor([0, 1])) if y is None else y
    path = npz(tmp_path / "a.npz", x_train=x, y_train=labels, x_test=GOOD, y_test=npy(torch.tensor([0, 1])))
    with fails(words):
        load_data("Npz", path=path)


def test_an_npz_bomb_is_not_unpacked(tmp_path: Path):
    """64 MB of zeros in 64 KB: read is no more than the header states."""
    path = npz(tmp_path / "a.npz", x=npy(torch.zeros(2, 5, 4), raw=bytes(1 << 26)), y=npy(torch.tensor([0, 1])))
    with fails("states 40 bytes, but more follow"):
        load_data("Npz", path=path)


def test_a_class_of_one_image_can_not_be_divided(tmp_path: Path):
    path = npz(tmp_path / "a.npz", x=npy(images(3, 5, 4)), y=npy(torch.arange(3)))
    with fails("Npz has no images here"):
        load_data("Npz", path=path)


def test_wrong_npz_files(tmp_path: Path):
    with fails("can't read .*none.npz: no such file"):
        load_data("Npz", path=tmp_path / "none.npz")
    (tmp_path / "text.npz").write_text("hello")
    with fails("text.npz is no npz file"):
        load_data("Npz", path=tmp_path / "text.npz")
    with fails("has none of the arrays that are known", "looked for x_train", "found a, b"):
        load_data("Npz", path=npz(tmp_path / "other.npz", a=GOOD, b=GOOD))
    path = npz(tmp_path / "cut.npz", x=npy(images(2, 50, 40)), y=npy(torch.tensor([0, 1])))
    content = bytearray(path.read_bytes())
    content[200:260] = bytes(60)
    path.write_bytes(content)
    with fails("x in .*cut.npz is damaged"):
        load_data("Npz", path=path)
