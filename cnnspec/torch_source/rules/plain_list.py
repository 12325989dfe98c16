"""W303: modules in a plain list, which torch does not register: their weights are not trained, moved or saved."""

from __future__ import annotations

from cnnspec.diagnostics import Sink, codes
from cnnspec.torch_source.module_methods import walk
from cnnspec.torch_source.rules.registry import Followed, rule
from cnnspec.torch_source.values import Instance
from cnnspec.torch_source.weights import count_parameters


@rule(codes.PLAIN_LIST)
def plain_list(followed: Followed, sink: Sink) -> None:
    registered = {id(module) for _, module in walk(followed.module)}
    for _, module in walk(followed.module):
        for name, value in module.attributes.items():
            held = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
            for one in held:
                if isinstance(one, Instance) and one.is_module and id(one) not in registered and one.uses:
                    if count_parameters(one) and one.made is not None:
                        kind = type(value).__name__
                        sink.report(codes.PLAIN_LIST, one.made.span, name=name, kind=kind)
                    break
