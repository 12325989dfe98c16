"""All rules and all codes, for who lists them, explains them or looks whether one exists."""

from __future__ import annotations

from cnnspec.diagnostics import codes
from cnnspec.lint import registry
from cnnspec.lint import rules as _folder
from cnnspec.lint.registry import Rule
from cnnspec.resources import import_all

import_all(_folder.__name__, _folder.__path__)

RULES: dict[str, Rule] = {rule.code.id: rule for rule in registry.RULES.values()}
CODES: dict[str, codes.Code] = codes.CODES | {name: RULES[name].code for name in sorted(RULES)}
"""Every code, of errors and of warnings."""
