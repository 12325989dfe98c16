"""What a recipe may name is what torch has: names, arguments, their order and their defaults."""

from __future__ import annotations

import inspect
import random

import pytest
import torch
from torch import nn

from cnnspec.layers import Reject
from cnnspec.recipe.choices import INITS, LOSSES, OPTIMIZERS, SCHEDULERS

IGNORED = {
    "self", "params", "optimizer", "tensor", "generator", "last_epoch", "foreach", "maximize", "capturable",
    "differentiable", "fused", "size_average", "reduce", "total_steps", "epochs", "steps_per_epoch",
}  # fmt: skip
HOMES = {
    "optimizers": (OPTIMIZERS, lambda name: getattr(torch.optim, name)),
    "schedulers": (SCHEDULERS, lambda name: getattr(torch.optim.lr_scheduler, name)),
    "losses": (LOSSES, lambda name: getattr(nn, name)),
    "inits": (INITS, lambda name: getattr(nn.init, name + "_")),
}
CASES = [(kind, name) for kind, (table, _) in HOMES.items() for name in table]
# Left out where the number of epochs gives it, and moved up for keyword-only arguments of torch's that come later.
OWN_DEFAULTS = {("CosineAnnealingLR", "T_max")}


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_arguments_are_torchs(kind: str, name: str):
    table, home = HOMES[kind]
    theirs = {
        parameter.name: parameter.default
        for parameter in inspect.signature(home(name)).parameters.values()
        if parameter.name not in IGNORED
    }
    fields = table[name].fields
    assert set(fields) <= set(theirs)
    assert set(theirs) - set(fields) <= {"decoupled_weight_decay", "maximize"}
    assert list(fields) == [parameter for parameter in theirs if parameter in fields]
    for field in fields.values():
        if (name, field.name) not in OWN_DEFAULTS:
            default = inspect.Parameter.empty if field.required else field.default
            assert default == theirs[field.name], field.name


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_what_is_accepted_torch_accepts(name: str):
    """Arguments drawn inside and outside of the ranges: torch's constructor decides alike."""
    rng = random.Random(name)
    declared, theirs = OPTIMIZERS[name], getattr(torch.optim, name)
    weights = [nn.Parameter(torch.zeros(2))]
    refused = 0
    for _ in range(300):
        field = rng.choice(list(declared.fields.values()))
        if field.default is True or field.default is False:
            value: object = rng.random() < 0.5
        elif isinstance(field.default, tuple):
            value = (rng.choice([-0.1, 0, 0.5, 0.9, 1.0, 1.5]), rng.choice([-0.1, 0, 0.5, 0.999, 1.0]))
        else:
            value = rng.choice([-1, -0.001, 0, 0.001, 0.5, 0.9, 1, 2.5])
        try:
            built = declared(**{field.name: value})
            built.validate()
            ours, given = True, built.arguments()[field.name]
        except (Reject, ValueError):
            ours, given = False, value
        try:
            theirs(weights, **{field.name: given})
            accepted = True
        except ValueError:
            accepted = False
        refused += not accepted
        if (name, field.name) not in STRICTER or accepted == ours:
            assert ours == accepted, f"{name}({field.name}={value})"
    assert refused > 10


# torch 2.13 does not look at these, and goes on with numbers that make no sense.
STRICTER = {
    ("SGD", "dampening"), ("RMSprop", "alpha"), ("Adagrad", "eps"), ("NAdam", "momentum_decay"), ("Adadelta", "eps"),
    ("Rprop", "step_sizes"),
}  # fmt: skip
