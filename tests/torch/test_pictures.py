"""Reading pictures and folders of images."""

from __future__ import annotations

import os
import struct
import sys
import warnings
import zlib
from pathlib import Path

import pytest
import torch

from cnnspec.recipe.datasets import ImageFolder
from cnnspec.training.data import images as picture_files
from cnnspec.training.data.load import Split, load_data

from .data_files import broken_folder, fails, folder, picture
from .data_files import nothing_installed as nothing_installed

Image = pytest.importorskip("PIL.Image", reason="needs Pillow")


def test_an_image_folder_with_two_halves(tmp_path: Path):
    data = load_data(ImageFolder(str(folder(tmp_path, ("train", "val", "test")))))
    assert (data.classes, data.shape, len(data.train), len(data.test)) == (["cat", "dog", "eel"], (3, 6, 8), 12, 12)
    assert data.train.labels.tolist() == [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]
    assert data.train.images[5, :, 2, 3].tolist() == [1, 1, 7]
    assert isinstance(data.train, Split)


def test_an_image_folder_is_divided_by_names(tmp_path: Path):
    root = folder(tmp_path, each=10)
    first, again = load_data("ImageFolder", path=root), load_data(ImageFolder(str(root)))
    assert first.test.labels.tolist() == [0, 0, 1, 1, 2, 2]
    assert torch.equal(first.test.images, again.test.images)
    kept = {tuple(image[:2, 0, 0].tolist()) for image in first.test.images}
    used = {tuple(image[:2, 0, 0].tolist()) for image in first.train.images}
    assert len(kept) == 6
    assert len(used) == 24
    assert not kept & used
    assert len(load_data(ImageFolder(str(root), test=0.5)).test) == 15


def test_pictures_of_many_kinds(tmp_path: Path):
    paths = [
        picture(tmp_path / "a" / "0.png"),
        picture(tmp_path / "a" / "1.JPG", quality=100, subsampling=0, format="JPEG"),
        picture(tmp_path / "a" / "2.bmp"),
        picture(tmp_path / "a" / "3.gif"),
        picture(tmp_path / "a" / "4.webp", lossless=True),
        picture(tmp_path / "a" / "5.ppm"),
        picture(tmp_path / "a" / "6.tif"),
        picture(tmp_path / "a" / "7.png", mode="RGBA", color=(200, 100, 50, 255)),
        picture(tmp_path / "a" / "8.png", mode="P", color=None),
    ]
    for path in paths[:-1]:
        values = picture_files.read_picture(path, 3)
        assert values.shape == (3, 6, 8)
        assert torch.allclose(values[:, 3, 3].int(), torch.tensor([200, 100, 50], dtype=torch.int32), atol=2), path.name
    assert picture_files.read_picture(paths[0], 1).shape == (1, 6, 8)
    assert picture_files.read_picture(paths[-1], 3).shape == (3, 6, 8)


def test_sixteen_bits_become_eight(tmp_path: Path):
    path = picture(tmp_path / "a.png", (2, 1), "I;16", 0x8040)
    assert picture_files.read_picture(path, 1).flatten().tolist() == [0x80, 0x80]
    assert picture_files.read_picture(path, 3)[:, 0, 0].tolist() == [0x80] * 3
    with fails("floating-point pixels"):
        picture_files.read_picture(picture(tmp_path / "a.tif", (2, 1), "F", 0.5), 1)


def test_pictures_stand_upright(tmp_path: Path):
    made = Image.new("RGB", (4, 2))
    made.putpixel((0, 0), (255, 0, 0))
    exif = Image.Exif()
    exif[0x0112] = 6
    made.save(tmp_path / "a.png", exif=exif)
    values = picture_files.read_picture(tmp_path / "a.png", 3)
    assert values.shape == (3, 4, 2)
    assert values[:, 0, 1].tolist() == [255, 0, 0]


def test_with_a_size_pictures_are_covered_and_cut(tmp_path: Path):
    for name, size in (("a", (40, 20)), ("b", (9, 30)), ("c", (16, 12))):
        picture(tmp_path / name / "0.jpg", size)
        picture(tmp_path / name / "1.png", (30, 30))
    data = load_data(ImageFolder(str(tmp_path), (12, 16), test=0.5))
    assert (data.shape, len(data.train), len(data.test)) == ((3, 12, 16), 3, 3)
    wide = Image.new("RGB", (40, 10))
    wide.paste((255, 255, 255), (15, 0, 25, 10))
    wide.save(tmp_path / "wide.png")
    assert picture_files.read_picture(tmp_path / "wide.png", 3, (10, 10)).min() == 255
    gray = load_data(ImageFolder(str(tmp_path), 8, 1))
    assert gray.train.images.shape[1:] == (1, 8, 8)


def test_wrong_folders(tmp_path: Path):
    with fails("can't read .*/none: no such file or directory"):
        load_data("ImageFolder", path=tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with fails("empty has no folders: each class needs one of its own"):
        load_data("ImageFolder", path=tmp_path / "empty")
    (tmp_path / "empty" / "cat").mkdir()
    (tmp_path / "empty" / ".git").mkdir()
    (tmp_path / "empty" / "cat" / "notes.txt").write_text("")
    with fails("empty/cat holds no pictures", "looked for .bmp"):
        load_data("ImageFolder", path=tmp_path / "empty")
    root = folder(tmp_path / "more", ("train", "test"))
    picture(root / "test" / "fox" / "1.png")
    with fails("test has a class that .*train lacks: fox"):
        load_data("ImageFolder", path=root)
    picture(tmp_path / "one" / "cat" / "a.png")
    with fails("one has too few files: none is left to test"):
        load_data("ImageFolder", path=tmp_path / "one")


def test_pictures_of_two_sizes(tmp_path: Path):
    root = folder(tmp_path, ("train", "test"))
    picture(root / "train" / "eel" / "9.png", (7, 5))
    with fails("eel/9.png is 5 x 7, but the first picture 6 x 8", "give the data set a size"):
        load_data("ImageFolder", path=root)


def test_broken_pictures_are_named(tmp_path: Path):
    root = broken_folder(tmp_path)
    with fails("cat/1.png is no picture that can be read", "--skip-broken leaves such files out"):
        load_data("ImageFolder", path=root)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = load_data("ImageFolder", path=root, skip_broken=True)
    assert (len(data.train), data.train.images.shape[0], len(data.test), len(data.skipped)) == (10, 10, 12, 2)
    assert "dog/2.png is damaged" in data.skipped[1]
    assert data.train.labels.bincount().tolist() == [3, 3, 4]


def test_the_first_picture_may_be_broken(tmp_path: Path):
    root = folder(tmp_path, ("train", "test"), each=2)
    (root / "train" / "cat" / "0.png").write_bytes(b"x")
    with fails("cat/0.png is no picture"):
        load_data("ImageFolder", path=root)
    assert len(load_data("ImageFolder", path=root, skip_broken=True).train) == 5
    for path in (root / "train").rglob("*.png"):
        path.write_bytes(b"x")
    with fails("none of the pictures can be read"):
        load_data("ImageFolder", path=root, skip_broken=True)


def test_a_picture_that_claims_to_be_huge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = picture(tmp_path / "a.png", (100, 90))
    monkeypatch.setattr(picture_files, "LARGEST", 8999)
    with fails("a.png has 100 x 90 pixels, more than 8,999"):
        picture_files.read_picture(path, 3)
    chunk = b"IHDR" + struct.pack(">II", 60_000, 60_000) + b"\x08\x02\0\0\0"
    huge = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    path.write_bytes(huge + struct.pack(">I", 4) + b"IDAT" + bytes(100))
    with fails("a.png is damaged: Image size"):
        picture_files.read_picture(path, 3)
    with fails("can't read .*/none.png: no such file"):
        picture_files.read_picture(tmp_path / "none.png", 3)


def test_only_formats_of_pictures_are_tried(tmp_path: Path):
    """Pillow would run Ghostscript on these."""
    path = tmp_path / "a.png"
    path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\nshowpage\n")
    with fails("a.png is no picture that can be read", "formats: PNG, JPEG"):
        picture_files.read_picture(path, 3)


def test_without_pillow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    root = folder(tmp_path)
    monkeypatch.setitem(sys.modules, "PIL", None)
    with fails("reading pictures needs Pillow", r"pip install 'cnnspec\[images\]'"):
        load_data("ImageFolder", path=root)


def test_a_folder_that_can_not_be_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(path: object):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "scandir", refuse)
    with fails(f"can't read {tmp_path}: permission denied"):
        load_data("ImageFolder", path=tmp_path)
