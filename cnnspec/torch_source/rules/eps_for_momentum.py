"""W302: a large number as the second argument of a batch normalisation, which is eps and not momentum."""

from __future__ import annotations

from cnnspec.diagnostics import Sink, codes
from cnnspec.torch_source.findings import written_argument
from cnnspec.torch_source.layers import Made
from cnnspec.torch_source.module_methods import walk
from cnnspec.torch_source.rules.registry import Followed, rule
from cnnspec.torch_source.script import Place

_LARGEST = 0.05


@rule(codes.EPS_FOR_MOMENTUM)
def eps_for_momentum(followed: Followed, sink: Sink) -> None:
    for _, module in walk(followed.module):
        made = module.layer
        if not isinstance(made, Made) or "momentum" not in made.layer.fields or module.made is None:
            continue
        eps = made.values.get("eps")
        node = written_argument(module, "eps")
        if isinstance(eps, float) and eps > _LARGEST and node is not None:
            sink.report(codes.EPS_FOR_MOMENTUM, Place(module.made.script, node).span, layer=made.name, eps=eps)
