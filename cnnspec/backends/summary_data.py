"""A summary as data: every module with exact numbers, as CSV and as JSON."""

from __future__ import annotations

from cnnspec.backends.summary import MODULE, Account, Row, rows
from cnnspec.layers.base import Parts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

COLUMNS = (
    "kind", "path", "layer", "output", "parameters", "buffers", "macs", "flops", "operations", "activation_bytes",
    "kept_bytes", "receptive_field", "stride", "start",
)  # fmt: skip


def facts(row: Row, account: Account) -> dict[str, Any]:
    """The numbers of a row, by the names in COLUMNS; shapes and fields are lists, a stride may be a fraction."""
    cost, fields = row.cost, account.seen(row)
    strides = [field.stride for field in fields]
    return dict(
        zip(
            COLUMNS,
            (
                row.kind, row.paths[0], row.layer, _listed(row.output), cost.parameters, cost.buffers + cost.counters,
                cost.macs, cost.flops, cost.operations, account.activations(row), account.kept(row),
                [field.size for field in fields],
                [int(stride) if stride.denominator == 1 else float(stride) for stride in strides],
                [field.start for field in fields],
            ),
        )
    )  # fmt: skip


def _listed(shape: Any) -> list[Any]:
    return [_listed(part) for part in shape] if isinstance(shape, Parts) else list(shape)


def document(account: Account, depth: int | None = None) -> dict[str, Any]:
    """All that is known of a network, for JSON."""
    total, step, output = account.costs.total, account.training, account.fields.output
    return {
        "name": account.graph.name,
        "batch": account.batch,
        "dtype": account.dtype,
        "optimizer": account.optimizer,
        "totals": {
            "parameters": total.parameters, "buffers": total.buffers + total.counters, "macs": total.macs,
            "step_macs": step.macs, "flops": total.flops, "operations": total.operations,
            "receptive_field": [field.size for field in output],
            "misaligned": any(field.misaligned for field in output),
        },
        "memory": {
            "peak_bytes": step.peak, "peak_phase": step.peak_phase, "peak_at": step.peak_at,
            "parameter_bytes": step.parameters, "buffer_bytes": step.buffers, "optimizer_bytes": step.optimizer,
            "input_bytes": step.inputs, "kept_bytes": step.activations, "evaluation_peak_bytes": account.evaluation.peak,
        },
        "rows": [facts(row, account) for row in rows(account.graph, account.costs, depth=depth, fold=False)],
    }  # fmt: skip


def as_json(accounts: Sequence[Account], depth: int | None = None) -> str:
    """One document, or a list of them where there are several networks."""
    import json

    found = [document(account, depth) for account in accounts]
    return json.dumps(found[0] if len(found) == 1 else found, indent=2)


def as_csv(accounts: Sequence[Account], depth: int | None = None) -> str:
    """A line for each module, under a line with the names; what has several numbers has an x between them."""
    import csv
    import io

    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("model", *COLUMNS))
    for account in accounts:
        for row in rows(account.graph, account.costs, depth=depth, fold=False):
            if row.kind == MODULE or row.cost.output:
                writer.writerow([account.graph.name, *map(_cell, facts(row, account).values())])
    return out.getvalue().rstrip("\n")


def _cell(value: object) -> object:
    if isinstance(value, list):
        return "x".join(str(_cell(part)) if not isinstance(part, list) else f"({_cell(part)})" for part in value)
    # A text that a spreadsheet would take for a formula.
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") else value
