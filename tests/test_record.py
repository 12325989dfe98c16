"""`record` behaves as the frozen, slotted dataclass that the type checker sees: the same bodies run through both."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import sys
from types import ModuleType

import pytest

import cnnspec.record

BODIES = '''
from __future__ import annotations

@record
class Point:
    """Two numbers."""
    x: int
    y: int = 2
    name: str | None = None

    @property
    def sum(self) -> int:
        return self.x + self.y

    def moved(self, by: int = 1) -> Point:
        return replace(self, x=self.x + by)

@record
class Other:
    x: int
    y: int = 2
    name: str | None = None

@record
class Empty:
    pass

@record
class Held:
    values: object

@record
class Own:
    x: int
    y: int

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Own) and self.x == other.x

    def __repr__(self) -> str:
        return "own"

@record
class OwnHash:
    x: int

    def __hash__(self) -> int:
        return 7

class Outer:
    @record
    class Inner:
        x: int
'''


def module(name: str, record: object, replace: object) -> ModuleType:
    """The bodies as a module of their own, so that what is made of them can be pickled."""
    made = ModuleType(name)
    sys.modules[name] = made
    vars(made).update(record=record, replace=replace)
    exec(BODIES, vars(made))
    return made


REAL = module("bodies_of_dataclasses", dataclasses.dataclass(frozen=True, slots=True), dataclasses.replace)
OURS = module("bodies_of_records", cnnspec.record.record, cnnspec.record.replace)


def outcome(code: str, names: ModuleType) -> object:
    """What an expression gives, as text, or the kind of its error."""
    scope = {**vars(names), "copy": copy, "pickle": pickle}
    try:
        return repr(eval(code, scope))
    except Exception as error:
        return next(kind for kind in (AttributeError, TypeError, ValueError) if isinstance(error, kind))


@pytest.mark.parametrize(
    "code",
    [
        "Point(1)",
        "Point(1, 3)",
        "Point(1, 3, 'a')",
        "Point(1, name='a')",
        "Point(y=1, x=3)",
        "Point(x=1, y=2, name=None)",
        "Point()",
        "Point(y=1)",
        "Point(1, 2, 'a', 4)",
        "Point(1, x=1)",
        "Point(1, 2, 'a', x=1)",
        "Point(1, z=1)",
        "Point(1, 2, z=1)",
        "Point(z=1, y=2, name='a')",
        "Empty()",
        "Empty(1)",
        "Empty(x=1)",
        "Outer.Inner(1)",
        "Point(1).sum",
        "Point(1).moved()",
        "Point(1).moved(by=4)",
        "Point(1) == Point(1, 2)",
        "Point(1) == Point(2)",
        "Point(1) == Other(1)",
        "Point(1) != Other(1)",
        "Point(1).__eq__(Other(1))",
        "Point(1) == (1, 2, None)",
        "Empty() == Empty()",
        "Held(float('nan')) == Held(float('nan'))",
        "Own(1, 2) == Own(1, 3)",
        "Own(1, 2)",
        "hash(Own(1, 2)) == hash((1, 2))",
        "hash(OwnHash(1))",
        "OwnHash(1) == OwnHash(1)",
        "hash(Point(1)) == hash((1, 2, None))",
        "hash(Empty()) == hash(())",
        "hash(Held([1]))",
        "Held([1]) == Held([1])",
        "Point(1) < Point(2)",
        "len({Point(1), Point(1, 2), Other(1)})",
        "replace(Point(1, 2, 'a'), y=5)",
        "replace(Point(1))",
        "replace(Point(1), z=5)",
        "replace(Point(1), x=[])",
        "replace(3, x=1)",
        "setattr(Point(1), 'x', 2)",
        "delattr(Point(1), 'x')",
        "Point(1).__dict__",
        "Point(1).z",
        "Point.x.__name__",
        "Point.__match_args__",
        "Point.__slots__",
        "Point.__doc__, Point.__name__, Outer.Inner.__qualname__",
        "copy.copy(Point(1, 2, 'a'))",
        "copy.deepcopy(Held([1, [2]]))",
        "copy.copy(Held(h)).values is h if (h := [1]) else None",
        "copy.deepcopy(Held(h)).values is h if (h := [1]) else None",
        "pickle.loads(pickle.dumps(Point(1, 2, 'a')))",
        "pickle.loads(pickle.dumps(Empty())) == Empty()",
        "pickle.loads(pickle.dumps(Outer.Inner([1])))",
    ],
)
def test_an_expression_gives_what_it_gives_with_dataclasses(code: str):
    assert outcome(code, OURS) == outcome(code, REAL)


BAD = {
    "mutable default": "x: list = []",
    "mutable mapping": "x: dict = {}",
    "mutable set": "x: set = set()",
    "default before none": "x: int = 1\n    y: int",
    "default, none, default": "x: int = 1\n    y: int\n    z: int = 3",
    "own setattr": "x: int\n    def __setattr__(self, name, value): pass",
    "own delattr": "x: int\n    def __delattr__(self, name): pass",
    "own slots": "x: int\n    __slots__ = ('y',)",
}


@pytest.mark.parametrize("body", BAD.values(), ids=BAD)
def test_a_body_that_dataclasses_refuse_is_refused(body: str):
    text = f"from __future__ import annotations\n@record\nclass Bad:\n    {body}\n"
    kinds = []
    for names in (REAL, OURS):
        with pytest.raises((TypeError, ValueError)) as caught:
            exec(text, {"record": names.record, "__name__": names.__name__})
        kinds.append(caught.type)
    assert kinds[0] is kinds[1]


NEVER = {
    "post init": "x: int\n    def __post_init__(self): pass",
    "class variable": "x: ClassVar[int] = 1",
    "init variable": "x: InitVar[int]",
    "keywords only": "_: KW_ONLY\n    x: int",
}


@pytest.mark.parametrize("body", NEVER.values(), ids=NEVER)
def test_what_a_record_can_not_do_is_refused(body: str):
    text = f"from __future__ import annotations\n@record\nclass Bad:\n    {body}\n"
    with pytest.raises(TypeError):
        exec(text, {"record": OURS.record, "__name__": "bad"})


def test_a_record_has_no_heirs():
    with pytest.raises(TypeError, match="extends a record"):
        exec("@record\nclass Bad(Point):\n    z: int = 1", {**vars(OURS)})


def test_match_takes_fields_by_position_and_by_name():
    for names in (REAL, OURS):
        match names.Point(1, 2, "a"):
            case names.Point(x, 2, name=name):
                assert (x, name) == (1, "a")
            case other:
                pytest.fail(repr(other))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("1, z=3", "has no field z"),
        ("1, x=3", "is given x twice"),
        ("y=3", "wants x"),
        ("1, 2, 3, 4", "takes 3 values, not 4"),
    ],
)
def test_a_wrong_argument_is_named(arguments: str, says: str):
    with pytest.raises(TypeError, match=says):
        eval(f"Point({arguments})", vars(OURS))
