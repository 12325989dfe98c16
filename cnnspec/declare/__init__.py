"""Declared arguments: what a layer, an optimizer, a loss, a data set takes, and the check of what is written.

A class that derives from `Declared` lists its arguments as annotated fields, in order, with PyTorch's names and defaults:

    class MaxPool2d(Layer):
        kernel_size: Sizes
        stride: Sizes | None = None

`bind` matches written arguments with a signature and reports every mistake with the span of the argument. Values keep the
form in which they were written (`3` stays `3` where `(3, 3)` is meant too); lists become tuples.

`kinds`: what values an argument takes. `declared`: the classes, and their signature as data. `family`: classes that users
call by name. `bind`, `order`: written arguments against a signature, and those in PyTorch's order. `spell`: values as
text. `reject`: refusals as facts.
"""

from cnnspec.declare.argument import Argument, Bound
from cnnspec.declare.bind import bind
from cnnspec.declare.declared import Declared, Field, Signature, as_tuple
from cnnspec.declare.family import Named
from cnnspec.declare.kinds import (
    OK,
    WRONG_RANGE,
    WRONG_TYPE,
    AnySize,
    Bool,
    Choice,
    Count,
    Either,
    Integer,
    Kind,
    Null,
    Number,
    Paddings,
    Positive,
    Real,
    Sizes,
    Text,
    Tuple,
    Unit,
    Whole,
    kind_of,
)
from cnnspec.declare.reject import Reject, sizes
from cnnspec.declare.spell import UNKNOWN, Unknown, spell

__all__ = [
    "OK",
    "UNKNOWN",
    "WRONG_RANGE",
    "WRONG_TYPE",
    "AnySize",
    "Argument",
    "Bool",
    "Bound",
    "Choice",
    "Count",
    "Declared",
    "Either",
    "Field",
    "Integer",
    "Kind",
    "Named",
    "Null",
    "Number",
    "Paddings",
    "Positive",
    "Real",
    "Reject",
    "Signature",
    "Sizes",
    "Text",
    "Tuple",
    "Unit",
    "Unknown",
    "Whole",
    "as_tuple",
    "bind",
    "kind_of",
    "sizes",
    "spell",
]
