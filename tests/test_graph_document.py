"""The graph as a JSON document: it says all there is, reads back to the same graph, and nothing else is taken for one."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import cnnspec
from cnnspec.backends.graph_document import document_of, read_document
from cnnspec.backends.python_source import source_of
from cnnspec.cli.main import main
from cnnspec.errors import GraphFileError
from cnnspec.graph.digest import digest_of
from cnnspec.graph.state import state_of
from cnnspec.resources import resource
from tests.network_generator import Generator
from tests.sampling import amount
from tools.make_schemas import graph_schema

SPECS = Path(__file__).parent.parent / "specs"
MODELS = ["lenet.cnn:LeNet", "resnet.cnn:ResNet18", "vit.cnn:ViTB16", "siamese.cnn:Siamese", "hrnet.cnn:HRNetW18",
          "crnn.cnn:CRNN", "googlenet.cnn:GoogLeNet", "textcnn.cnn:TextCNN", "wavenet.cnn:WaveNet"]  # fmt: skip


def load(name: str) -> cnnspec.Spec:
    path, _, model = name.partition(":")
    return cnnspec.load(SPECS / path, model)


def test_the_schema_is_that_of_the_models():
    stored = resource("schemas", "graph.schema.json").read_text(encoding="utf-8")
    assert graph_schema() == stored, "python -m tools.make_schemas"
    jsonschema.Draft202012Validator.check_schema(json.loads(stored))


@pytest.mark.parametrize("name", MODELS)
def test_it_reads_back(name: str):
    graph = load(name).graph.numbers
    text = document_of(graph)
    again = read_document(text, "net.json")
    assert document_of(again) == text
    assert (again.name, again.takes, again.output, again.parameters) == (
        graph.name,
        graph.takes,
        graph.output,
        graph.parameters,
    )
    assert digest_of(again) == digest_of(graph)
    assert state_of(again.root) == state_of(graph.root)


def test_generated_networks_read_back():
    for seed in range(amount(30, 1_000)):
        text, _ = Generator(random.Random(seed), values=bool(seed % 2)).model()
        graph = cnnspec.loads(text).graph
        assert digest_of(read_document(document_of(graph), "net.json")) == digest_of(graph), f"seed {seed}\n{text}"


def test_it_fits_its_schema():
    schema = json.loads(graph_schema())
    for name in MODELS[:4]:
        jsonschema.validate(json.loads(document_of(load(name).graph)), schema)


def test_layers_in_layers_are_kept():
    graph = cnnspec.loads("model M { input [3, 8, 8]; weight_norm(Conv2d(4, (3, 1)), dim=1) }").graph
    assert state_of(read_document(document_of(graph), "x").root) == state_of(graph.root)


def test_the_command_reads_what_it_wrote(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]):
    path = tmp_path / "net.json"
    assert main(["export", str(SPECS / "lenet.cnn"), "-o", str(path)]) == 0
    capfdbinary.readouterr()
    assert main(["export", str(path), "--to", "py"]) == 0
    code = capfdbinary.readouterr().out.decode()
    # A document holds the graph: parameters are the numbers that they were.
    wanted = source_of(load(MODELS[0]).graph).split("def __init__")[1]
    wanted = wanted.replace(", num_classes: int = 10", "").replace("num_classes", "10")
    assert code.split("class LeNet")[1].split("def __init__")[1] == wanted


def changed(text: str, change: Any) -> str:
    document = json.loads(text)
    change(document)
    return json.dumps(document)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda d: d.update(version=2), "version"),
        (lambda d: d.update(more=1), "more"),
        (lambda d: d.pop("root"), "root"),
        (lambda d: d["root"]["children"][0].update(layer="Conv9d"), "there is no such layer"),
        (lambda d: d["root"]["children"][0].update(layer="object"), "there is no such layer"),
        (lambda d: d["root"]["children"][0]["arguments"].update(stride=3), "gives another shape"),
        (lambda d: d["root"]["children"][0]["arguments"].update(stride="__import__('os')"), "has to be"),
        (lambda d: d["root"]["children"][0].update(kind="loop"), "kind"),
        (lambda d: d["root"]["children"].pop(1), "digest is another"),
    ],
)
def test_what_is_no_graph_is_refused(change: Any, reason: str):
    with pytest.raises(GraphFileError, match=reason):
        read_document(changed(document_of(load(MODELS[0]).graph), change), "net.json")


@pytest.mark.parametrize(
    "text", ["", "[]", "null", "{", '{"root": ' * 5_000, "\ud800".encode("utf-8", "surrogatepass")]
)
def test_what_is_no_document_is_refused(text: str):
    with pytest.raises(GraphFileError):
        read_document(text, "net.json")
