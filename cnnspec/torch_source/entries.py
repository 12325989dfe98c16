"""What a file is checked for: the classes that no other class builds, or what the user names."""

from __future__ import annotations

import ast

from cnnspec.record import record
from cnnspec.source import Source
from cnnspec.torch_source.project import File, NotPython, parse
from cnnspec.torch_source.script import Place
from cnnspec.torch_source.values import Class, Function, TorchClass, lineage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.torch_source.machine import Machine

MOST = 24
"""Classes and calls of one file that are checked unasked."""


@record
class Entry:
    """One expression that makes a module, `Net` or `Net(10)`, and where it stands. `asked` where the user wrote it."""

    name: str
    node: ast.expr
    place: Place
    asked: bool = False


def named(text: str) -> Entry | None:
    """The entry that a user asks for: a name or a call. None where the text is neither."""
    try:
        script = parse(Source(f"`{text}`", text))
    except NotPython:
        return None
    if len(script.tree.body) != 1 or not isinstance(script.tree.body[0], ast.Expr):
        return None
    node = script.tree.body[0].value
    return Entry(text, node, Place(script, node), True)


def entries_of(m: Machine, file: File) -> tuple[list[Entry], list[Entry]]:
    """The entries of a file, and those modules that can't be made unasked: their arguments have no defaults."""
    classes = _modules(m, file)
    built = _built_inside(file, classes)
    found: list[Entry] = []
    open_ended: list[Entry] = []
    calls = _calls(file, classes)
    for name, cls in classes.items():
        if name in built:
            continue
        if not _required(cls):
            found.append(_call_of(file, name, cls.node))
        elif name in calls:
            found += calls[name]
        else:
            open_ended.append(_call_of(file, name, cls.node))
    found += _factories(file, {entry.name for entry in open_ended}, classes)
    made = {part.id for entry in found for part in ast.walk(entry.node) if isinstance(part, ast.Name)}
    factories = _made_by_factories(file, made)
    open_ended = [entry for entry in open_ended if entry.name not in factories]
    if not found and not open_ended and classes:
        # They build each other: all are checked.
        found = [_call_of(file, name, cls.node) for name, cls in classes.items() if not _required(cls)]
    return [*found, *_sequentials(file)][:MOST], open_ended


def _modules(m: Machine, file: File) -> dict[str, Class]:
    """The modules of a file that have a forward of their own or from a class of the project."""
    found: dict[str, Class] = {}
    for statement in file.script.tree.body:
        for part in (
            [statement, *getattr(statement, "body", [])] if isinstance(statement, (ast.If, ast.Try)) else [statement]
        ):
            if not isinstance(part, ast.ClassDef):
                continue
            cls = file.lookup(m, part.name)
            if isinstance(cls, Class) and _is_module(cls):
                found[part.name] = cls
    return found


def _is_module(cls: Class) -> bool:
    line = lineage(cls)
    module = any(isinstance(part, TorchClass) and part.module and not part.name.endswith("Loss") for part in line)
    forward = any(isinstance(part, Class) and "forward" in part.members for part in line)
    torch = next((part.name for part in line if isinstance(part, TorchClass)), "")
    made_up = torch in ("Module", "object") or torch.startswith("?")
    return module and (forward or not made_up)


def _required(cls: Class) -> bool:
    """Whether the class can't be made without arguments."""
    for part in lineage(cls):
        init = part.members.get("__init__") if isinstance(part, Class) else None
        if isinstance(init, Function):
            spec = init.node.args
            positional = [*spec.posonlyargs, *spec.args][1:]
            without = len(positional) > len(spec.defaults)
            return without or any(default is None for default in spec.kw_defaults)
        if isinstance(part, TorchClass):
            return part.name not in (
                "Module",
                "object",
                "Sequential",
                "ModuleList",
                "ModuleDict",
            ) and not part.name.startswith("?")
    return False


def _built_inside(file: File, classes: dict[str, Class]) -> set[str]:
    """Modules that another class of the file names in its body, or inherits from."""
    used: set[str] = set()
    for statement in file.script.tree.body:
        if not isinstance(statement, ast.ClassDef):
            continue
        for part in ast.walk(statement):
            if isinstance(part, ast.Name) and part.id in classes and part.id != statement.name:
                used.add(part.id)
    # A class that is handed to another one, Net(Block), is built there.
    for call in ast.walk(file.script.tree):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in classes:
            values = [*call.args, *(keyword.value for keyword in call.keywords)]
            for value in values:
                used |= {part.id for part in ast.walk(value) if isinstance(part, ast.Name) and part.id in classes}
    return used


def _call_of(file: File, name: str, node: ast.AST) -> Entry:
    call = ast.Call(ast.Name(name, ast.Load()), [], [])
    _put_at(call, node)
    return Entry(name, call, Place(file.script, call))


def _put_at(call: ast.expr, node: ast.AST) -> None:
    """Let a made-up call stand at the head of the definition that it calls."""
    line, column = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
    word = 6 if isinstance(node, ast.ClassDef) else 4
    length = len(getattr(node, "name", ""))
    for part in ast.walk(call):
        if isinstance(part, ast.expr):
            part.lineno = part.end_lineno = line
            part.col_offset, part.end_col_offset = column + word, column + word + length


def _calls(file: File, classes: dict[str, Class]) -> dict[str, list[Entry]]:
    """Calls of modules at the top of the file, or under `if __name__ == "__main__"`, whose arguments can be read there."""
    found: dict[str, list[Entry]] = {}
    for statement in _top_statements(file.script.tree.body):
        for call in _calls_in(statement):
            name = call.func.id if isinstance(call.func, ast.Name) else ""
            if name in classes and (call.args or call.keywords) and _readable(file, call):
                text = Place(file.script, call).text
                entries = found.setdefault(name, [])
                if all(entry.name != text for entry in entries):
                    entries.append(Entry(text, call, Place(file.script, call)))
    return found


def _top_statements(body: list[ast.stmt]) -> list[ast.stmt]:
    found: list[ast.stmt] = []
    for statement in body:
        if isinstance(statement, ast.If):
            found += _top_statements([*statement.body, *statement.orelse])
        elif not isinstance(statement, (ast.ClassDef, ast.AsyncFunctionDef)):
            found.append(statement)
    return found


def _calls_in(statement: ast.stmt) -> list[ast.Call]:
    return [part for part in ast.walk(statement) if isinstance(part, ast.Call)]


def _readable(file: File, call: ast.Call) -> bool:
    """Whether every name among the arguments is one of the file, and not of a function around the call."""
    inner = {part.id for value in [*call.args, *[keyword.value for keyword in call.keywords]]
             for part in ast.walk(value) if isinstance(part, ast.Name)}  # fmt: skip
    starred = any(isinstance(value, ast.Starred) for value in call.args)
    starred = starred or any(keyword.arg is None for keyword in call.keywords)
    return not starred and all(file.binds(name) for name in inner)


def _factories(file: File, wanted: set[str], classes: dict[str, Class]) -> list[Entry]:
    """Functions without required arguments that give one of the wanted modules."""
    found: list[Entry] = []
    for statement in file.script.tree.body:
        if not isinstance(statement, ast.FunctionDef):
            continue
        spec = statement.args
        required = len([*spec.posonlyargs, *spec.args]) > len(spec.defaults) or None in spec.kw_defaults
        if not required and _gives(statement) & wanted:
            found.append(_call_of(file, statement.name, statement))
    return found


def _gives(function: ast.FunctionDef) -> set[str]:
    """The names of what a function may return: those that it calls."""
    if not any(isinstance(part, ast.Return) and part.value is not None for part in ast.walk(function)):
        return set()
    return {
        part.func.id for part in ast.walk(function) if isinstance(part, ast.Call) and isinstance(part.func, ast.Name)
    }


def _made_by_factories(file: File, factories: set[str]) -> set[str]:
    found: set[str] = set()
    for statement in file.script.tree.body:
        if isinstance(statement, ast.FunctionDef) and statement.name in factories:
            found |= _gives(statement)
    return found


def _sequentials(file: File) -> list[Entry]:
    """Names at the top of the file that are bound to an nn.Sequential written out there."""
    found: list[Entry] = []
    for statement in _top_statements(file.script.tree.body):
        if not isinstance(statement, ast.Assign) or not isinstance(statement.value, ast.Call):
            continue
        target, function = statement.targets[0], statement.value.func
        name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        if name == "Sequential" and isinstance(target, ast.Name):
            found.append(Entry(target.id, statement.value, Place(file.script, target)))
    return found
