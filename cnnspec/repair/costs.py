"""What each kind of edit costs, in one table: the lower, the likelier it is what the author meant.

Found by trying on the mutants and the public reports of `benchmarks/repair.py`. A cost that can be changed without a change of
any first fix there has no place here; `tests/test_repair.py` holds that.
"""

from __future__ import annotations

COSTS = {
    # numbers, by what they belong to: the statements of an author are given up last
    "argument": 0.0,
    "table": 0.2,
    "let": 0.2,
    "default": 0.3,
    "count": 0.5,
    "input": 0.9,
    "condition": 0.9,
    "where": 0.4,
    "stated here": -0.3,
    "operand": 0.25,
    # numbers, by what is known of them
    "inside": -0.15,
    "inside of a value": -0.6,
    "unusual channels": -0.5,
    "named by the error": -0.6,
    "strides explain": -0.4,
    "explains": -0.35,
    "explains nothing": 0.5,
    "square": -0.9,
    "first layer": -0.75,
    "odd window": 0.3,
    "no slip": 0.15,
    "rare": 0.9,
    "padding fits no kernel": 0.6,
    "windows apart": 0.7,
    "new width": 0.45,
    "wanted width": 0.2,
    # distance from the error, in statements
    "other row": 0.6,
    "step": 0.08,
    "other definition": 0.3,
    "other part": 0.2,
    "step back": 0.02,
    "far": 1.2,
    # statements and arguments
    "declare": 0.6,
    "declare a head": -0.3,
    "declare a name": 0.85,
    "flatten": 1.2,
    "flatten before Linear": 0.6,
    "delete": 0.9,
    "swap": 0.7,
    "shortcut": 0.3,
    "add padding": 0.85,
    "add stride": 0.8,
    "drop": 0.9,
    "warning": 0.4,
}
"""Costs by name; those of a situation stand with its fixes."""

STEPS = {
    "kernel": {1: 0.1, 2: 0.5, 3: 0.0, 5: 0.1, 7: 0.2, 4: 0.7, 9: 0.5, 11: 0.5},
    "pool": {2: 0.0, 3: 0.1, 4: 0.5, 5: 0.6, 6: 0.7, 7: 0.6, 8: 0.7},
    "stride": {1: 0.0, 2: 0.0, 4: 0.4, 3: 0.6, 8: 0.7, 5: 0.7},
    "padding": {0: 0.1, 1: 0.0, 2: 0.1, 3: 0.2, 4: 0.6, 5: 0.6},
    "dilation": {1: 0.0, 2: 0.2, 4: 0.4, 3: 0.6},
    "groups": {1: 0.0},
    "divisor": {32: 0.0, 16: 0.0, 8: 0.0, 4: 0.1, 2: 0.2, 64: 0.2, 0: 0.0},
    "two": {2: 0.0},
    "count": {},
    "width": {},
}
"""How unusual a number is for what it is there for."""
TRIED = {
    "kernel": (3, 1, 5, 7, 2),
    "pool": (2, 3),
    "stride": (1, 2),
    "padding": (1, 0, 2, 3),
    "dilation": (1, 2),
    "groups": (1,),
    "divisor": (32, 16, 8, 4),
    "two": (2,),
}
"""Numbers that are tried in any case."""
