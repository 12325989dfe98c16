"""Warnings about Python source: each rule is a file here, which registers itself. A rule gets a module that was followed."""

from cnnspec.torch_source.rules import (
    dropout_in_evaluation,
    eps_for_momentum,
    folded_batch,
    plain_list,
    softmax_before_loss,
    unused_module,
)
from cnnspec.torch_source.rules.registry import RULES, Followed

__all__ = [
    "RULES",
    "Followed",
    "dropout_in_evaluation",
    "eps_for_momentum",
    "folded_batch",
    "plain_list",
    "softmax_before_loss",
    "unused_module",
]
