"""From written settings to values: kinds are checked, components are built. Every mistake is reported where it stands."""

from __future__ import annotations

from cnnspec.compiler.expressions import evaluate, plain_arguments
from cnnspec.compiler.names import Scope
from cnnspec.compiler.place import Place
from cnnspec.compiler.values import has_unknown
from cnnspec.declare import UNKNOWN, Declared, Kind, Reject, as_tuple, bind, spell
from cnnspec.diagnostics import Diagnostic, Sink, codes, did_you_mean, note
from cnnspec.diagnostics.suggestions import listing
from cnnspec.recipe.settings import LEFT_OUT, SETTINGS, meant_setting
from cnnspec.syntax import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from cnnspec.source import Span


class Reader:
    """Reads settings; expressions see the names of the file."""

    def __init__(self, scope: Scope, sink: Sink) -> None:
        self.sink = sink
        self.place = Place(sink, scope)

    def read(self, written: tree.Setting) -> Any:
        setting = SETTINGS.get(written.name.id)
        if setting is None:
            helps = meant_setting(written.name.id)
            known = f"the settings are {listing(SETTINGS)}"
            self.sink.report(codes.UNKNOWN_SETTING, written.name.span, helps=helps, name=written.name.id, known=known)
            return UNKNOWN
        if written.part is not None and written.name.id != "loss":
            known = "only `loss` is set for one output of several"
            name = f"{written.name.id}.{written.part.id}"
            self.sink.report(codes.UNKNOWN_SETTING, written.part.span, name=name, known=known)
            return UNKNOWN
        if isinstance(setting.takes, Kind):
            return self._value(written, setting.takes)
        if setting.many or (written.name.id == "loss" and isinstance(written.value, tree.Sequence)):
            return self._components(written, setting.takes)
        if isinstance(written.value, tree.Literal) and written.value.value is None and written.name.id in LEFT_OUT:
            return None
        return self._component(written.name.id, written.value, setting.takes)

    def _value(self, written: tree.Setting, kind: Kind) -> Any:
        value = as_tuple(evaluate(written.value, self.place))
        if has_unknown(value):
            return UNKNOWN
        if kind.accepts(value, 0):
            facts = {"what": f"`{written.name.id}`", "value": spell(value), "wants": kind.describe(0)}
            self.sink.add(Diagnostic(codes.WRONG_VALUE, dict(facts), written.value.span))
            return UNKNOWN
        return value

    def _components(self, written: tree.Setting, table: Mapping[str, type[Declared]]) -> Any:
        items = written.value.items if isinstance(written.value, tree.Sequence) else (written.value,)
        found = [self._component(written.name.id, item, table) for item in items]
        return UNKNOWN if UNKNOWN in found else tuple(found)

    def _component(self, setting: str, value: tree.Expression, table: Mapping[str, type[Declared]]) -> Any:
        name = value.name if isinstance(value, tree.Call) else value
        if not isinstance(name, tree.Name):
            if not isinstance(name, tree.Invalid):
                default = SETTINGS[setting].default
                example = type(default).__name__ if isinstance(default, Declared) else next(iter(table))
                facts = {"what": f"`{setting}`", "value": value.span.text, "wants": f"a name such as `{example}`"}
                quoted = isinstance(value, tree.Literal) and isinstance(value.value, str) and value.value in table
                unquoted = (note(f"without quotes: `{value.value}`"),) if quoted else ()  # type: ignore[union-attr]
                self.sink.add(Diagnostic(codes.WRONG_VALUE, dict(facts), value.span, (), unquoted))
            return UNKNOWN
        declared = table.get(name.id)
        if declared is None:
            helps = did_you_mean(name.id, table)
            facts = {"name": name.id, "setting": setting, "known": f"{setting} takes {listing(table)}"}
            self.sink.add(Diagnostic(codes.UNKNOWN_COMPONENT, dict(facts), name.span, (), helps))
            return UNKNOWN
        written = plain_arguments(value.arguments, name.id, self.place) if isinstance(value, tree.Call) else []
        bound = bind(declared.signature, written, name.id, name.span, self.sink)
        if not bound.complete:
            return UNKNOWN
        built = declared.build(bound.values)
        try:
            built.validate()  # type: ignore[attr-defined]
        except Reject as reject:
            where: Span = bound.spans.get(reject.field, name.span)
            self.sink.add(Diagnostic(reject.code, {"layer": name.id, **reject.facts}, where))
            return UNKNOWN
        return built
