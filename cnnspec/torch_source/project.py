"""The Python files of a project: which file an import means, and the names of a file, looked up when they are needed.

Only regular files below the root are read, each of moderate size, and parsed; nothing is imported. A name of a file gets its
value from the statements that bind it and from nothing else, so that scripts with training loops need no care.
"""

from __future__ import annotations

import ast
import os

from cnnspec.source import Source
from cnnspec.torch_source.externals import external
from cnnspec.torch_source.machine import DEPTH, Machine
from cnnspec.torch_source.script import Place, Script
from cnnspec.torch_source.stops import Raised, Stop
from cnnspec.torch_source.values import External, Instance, Record, Scope, Unknown

FILE_BYTES = 512 * 1024
FILES = 64
_MARKERS = ("pyproject.toml", "cnnspec.toml", "setup.py", "setup.cfg", ".git")
_DEEPEST = 90


def root_of(path: str) -> str:
    """The folder of the project that a file belongs to: the nearest with a project's marks, or the file's own."""
    folder = os.path.dirname(os.path.realpath(path))
    above = folder
    for _ in range(12):
        if any(os.path.exists(os.path.join(above, name)) for name in _MARKERS):
            return above
        parent = os.path.dirname(above)
        if parent == above:
            break
        above = parent
    while os.path.isfile(os.path.join(folder, "__init__.py")) and os.path.dirname(folder) != folder:
        folder = os.path.dirname(folder)
    return folder


DESCRIBED = "torchvision.models"


class NotPython(Exception):
    """A text that Python's grammar does not accept, or one beyond the bounds: what is wrong, and at which line."""

    def __init__(self, problem: str, line: int = 0) -> None:
        super().__init__(problem)
        self.problem, self.line = problem, line


def parse(source: Source, path: str = "") -> Script:
    """The syntax tree of a text, whose size and nesting are bounded first. Raises NotPython."""
    text = source.text
    if len(text) > FILE_BYTES:
        raise NotPython(f"the file is larger than {FILE_BYTES:,} bytes")
    deepest = depth = 0
    for sign in text:
        if sign in "([{":
            depth += 1
            deepest = max(deepest, depth)
        elif sign in ")]}":
            depth -= 1
    if deepest > _DEEPEST:
        raise NotPython(f"brackets are nested more than {_DEEPEST} deep")
    import warnings

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Script(source, ast.parse(text), path)
    except SyntaxError as error:
        raise NotPython(_what(error), error.lineno or 0) from None
    except (ValueError, MemoryError, RecursionError):
        raise NotPython("the text is nested too deeply, or holds a null byte") from None


def _what(error: SyntaxError) -> str:
    message = error.msg or "invalid syntax"
    if "print" in message and "parentheses" in message:
        return "this is Python 2: `print` without parentheses"
    return message[:100]


class File:
    """The names of one Python file."""

    def __init__(self, script: Script, project: Project) -> None:
        self.script, self.project = script, project
        self.names: dict[str, object] = {}
        self._binders: dict[str, list[tuple[ast.stmt, tuple[tuple[ast.expr, bool], ...]]]] = {}
        self._stars: list[ast.ImportFrom] = []
        self._busy: set[str] = set()
        self.stands_for = ""
        """The library that the file describes; its other names are of that."""
        self._mentions: set[int] = set()
        """Statements that may change the value of a name without binding it."""
        self._index(script.tree.body, ())
        self._index_mentions()

    def _index_mentions(self) -> None:
        """A statement that binds one name may change the object of another by calling a method of it."""
        objects = {
            name: binders[0][0] for name, binders in self._binders.items() if isinstance(binders[0][0], ast.Assign)
        }
        every = set(objects)
        for statement in self.script.tree.body:
            if isinstance(statement, ast.Assign):
                for name in _called_on(statement.value) & every:
                    binders = self._binders[name]
                    if statement.lineno > objects[name].lineno and all(one is not statement for one, _ in binders):
                        binders.append((statement, ()))
                        self._mentions.add(id(statement))

    def _index(self, body: list[ast.stmt], guards: tuple[tuple[ast.expr, bool], ...]) -> None:
        for statement in body:
            if isinstance(statement, ast.If):
                if not _is_main(statement.test):
                    self._index(statement.body, (*guards, (statement.test, True)))
                    self._index(statement.orelse, (*guards, (statement.test, False)))
                continue
            if isinstance(statement, (ast.Try, ast.With)):
                self._index(statement.body, guards)
                continue
            if isinstance(statement, ast.ImportFrom) and statement.names[0].name == "*":
                self._stars.append(statement)
            for name in bound_by(statement):
                self._binders.setdefault(name, []).append((statement, guards))

    def binds(self, name: str) -> bool:
        return name in self._binders or name in self.names

    def lookup(self, m: Machine, name: str) -> object:
        """The value of a name of the file, or None where there is none."""
        if name in self.names:
            return self.names[name]
        if name not in self._binders:
            return self._from_star(m, name)
        if name in self._busy:
            raise Stop(f"`{name}`, which is made of itself")
        if m.depth >= DEPTH:
            raise Stop(f"`{name}`, which leads over more than {DEPTH} other names")
        m.depth += 1
        self._busy.add(name)
        frame, running, m.frame, m.running = m.frame, m.running, None, []
        try:
            self._bind(m, name)
        finally:
            m.depth -= 1
            m.frame, m.running = frame, running
            self._busy.discard(name)
        return self.names.get(name)

    def _bind(self, m: Machine, name: str) -> None:
        scope = Scope(self)
        for statement, guards in self._binders[name]:
            try:
                if all(
                    m.truth(m.evaluate(test, Scope(self)), m.place(test, scope)) == wanted for test, wanted in guards
                ):
                    m.execute([statement], scope)
            except Stop as stop:
                if id(statement) in self._mentions and not isinstance(self.names.get(name), Instance):
                    continue
                scope.values[name] = Unknown(
                    stop.what, stop.place or Place(self.script, statement), reported=stop.reported
                )
            except Raised as raised:
                scope.values[name] = Unknown(f"`{name}`: {raised.name}", raised.place)
            if name in scope.values:
                self.names[name] = scope.values[name]
        self._set_options(m, name)
        if name not in self.names:
            self.names[name] = Unknown(f"`{name}`, which is bound only under a condition")

    def _set_options(self, m: Machine, name: str) -> None:
        """Values from the command line: of a name of the file, or of the attributes of what parse_args() gives."""
        for setting, value in m.settings.items():
            head, _, rest = setting.partition(".")
            if head != name:
                continue
            options = self.names.get(name)
            if not rest:
                self.names[name] = value
            elif isinstance(options, Record):
                options.values[rest] = value

    def _from_star(self, m: Machine, name: str) -> object:
        for statement in self._stars:
            module = self.project.imported(self, statement.module or "", statement.level)
            if isinstance(module, File) and module is not self and module.binds(name):
                return module.lookup(m, name)
            if isinstance(module, File) and module is not self:
                found = module._from_star(m, name)
                if found is not None:
                    return found
            if isinstance(module, External) and module.path.startswith(("torch", "math")):
                return external(f"{module.path}.{name}")
        return None

    def member(self, m: Machine, name: str) -> object:
        """A name that another file imports from this one: one of its names, or a file beside a package's __init__."""
        if self.binds(name):
            return self.lookup(m, name)
        found = self._from_star(m, name)
        if found is not None:
            return found
        folder = os.path.dirname(self.script.path)
        if os.path.basename(self.script.path) == "__init__.py":
            inner = self.project.load_module(os.path.join(folder, name))
            if inner is not None:
                return inner
        if self.stands_for:
            return external(f"{self.stands_for}.{name}")
        return Unknown(f"`{name}`, which {os.path.basename(self.script.path)} does not bind")


def _is_main(test: ast.expr) -> bool:
    return isinstance(test, ast.Compare) and isinstance(test.left, ast.Name) and test.left.id == "__name__"


def bound_by(statement: ast.stmt) -> list[str]:
    """The names that a statement of a file binds, or whose values it may change."""
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return [statement.name]
    if isinstance(statement, ast.Import):
        return [alias.asname or alias.name.partition(".")[0] for alias in statement.names]
    if isinstance(statement, ast.ImportFrom):
        return [alias.asname or alias.name for alias in statement.names if alias.name != "*"]
    if isinstance(statement, ast.Assign):
        return [name for target in statement.targets for name in _roots(target)]
    if isinstance(statement, (ast.AugAssign, ast.AnnAssign)):
        return _roots(statement.target)
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        return _roots(statement.value.func) if isinstance(statement.value.func, ast.Attribute) else []
    if isinstance(statement, ast.For):
        inner = [name for part in statement.body for name in bound_by(part)]
        return list(dict.fromkeys([*_roots(statement.target), *inner]))
    return []


def _called_on(value: ast.expr) -> set[str]:
    """The names of those whose methods are called."""
    return {
        name
        for part in ast.walk(value)
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute)
        for name in _roots(part.func)
    }


def _roots(target: ast.expr) -> list[str]:
    if isinstance(target, ast.Name):
        return [target.id]
    if isinstance(target, (ast.Tuple, ast.List)):
        return [name for part in target.elts for name in _roots(part)]
    if isinstance(target, (ast.Attribute, ast.Subscript, ast.Starred)):
        return _roots(target.value)
    return _roots(target.func) if isinstance(target, ast.Call) else []


class Project:
    """The files below one root that have been read."""

    def __init__(self, root: str) -> None:
        self.root = os.path.realpath(root)
        self.files: dict[str, File | None] = {}

    def add(self, script: Script) -> File:
        """The file of a script that has been read already."""
        file = File(script, self)
        self.files[os.path.realpath(script.path) if script.path else script.source.path] = file
        return file

    def imported(self, file: File, dotted: str, level: int) -> File | External | Unknown:
        """What `from dotted import ...` takes its names from, with `level` dots in front."""
        parts = dotted.split(".") if dotted else []
        folder = os.path.dirname(os.path.realpath(file.script.path)) if file.script.path else self.root
        if level:
            for _ in range(level - 1):
                folder = os.path.dirname(folder)
            found = self.load_module(os.path.join(folder, *parts))
            return found or Unknown(f"the file of `{'.' * level}{dotted}`, which is not below the project's folder")
        while folder.startswith(self.root):
            for base in (folder, os.path.join(folder, "src")):
                found = self.load_module(os.path.join(base, *parts))
                if found is not None and found is not file:
                    return found
            if folder == self.root:
                break
            folder = os.path.dirname(folder)
        return self.described(dotted) or External(dotted)

    def described(self, dotted: str) -> File | None:
        """The networks of torchvision.models, from the text that comes along: torchvision itself is not read."""
        if dotted != DESCRIBED:
            return None
        if DESCRIBED not in self.files:
            from cnnspec.resources import resource

            text = resource("torch_source", "torchvision_models.txt").read_text(encoding="utf-8")
            file = self.files[DESCRIBED] = File(parse(Source(f"{DESCRIBED} as cnnspec has it", text)), self)
            file.stands_for = DESCRIBED
        return self.files[DESCRIBED]

    def load_module(self, path: str) -> File | None:
        """The file `path`.py or the package `path`, where there is one below the root."""
        for candidate in (path + ".py", os.path.join(path, "__init__.py")):
            if os.path.isfile(candidate):
                return self._load(candidate)
        return None

    def _load(self, path: str) -> File | None:
        real = os.path.realpath(path)
        if real in self.files:
            return self.files[real]
        if not real.startswith(self.root + os.sep) or len(self.files) >= FILES:
            return None
        self.files[real] = None
        try:
            with open(real, "rb") as stream:
                data = stream.read(FILE_BYTES + 1)
            source = Source(os.path.relpath(real) if len(os.path.relpath(real)) < len(real) else real, _text(data))
            self.files[real] = File(parse(source, real), self)
        except (OSError, NotPython):
            return None
        return self.files[real]


def _text(data: bytes) -> str:
    return data.decode("utf-8-sig", "replace").replace("\r\n", "\n")


def import_names(m: Machine, statement: ast.Import | ast.ImportFrom, scope: Scope) -> None:
    """Carry out an import statement."""
    file = scope.top
    assert isinstance(file, File)
    if isinstance(statement, ast.Import):
        for alias in statement.names:
            module = _of_torch(alias.name) or file.project.imported(file, alias.name, 0)
            if alias.asname:
                scope.values[alias.asname] = module
            else:
                top = alias.name.partition(".")[0]
                scope.values[top] = module if top == alias.name else External(top)
        return
    dotted = statement.module or ""
    module = (None if statement.level else _of_torch(dotted)) or file.project.imported(file, dotted, statement.level)
    for alias in statement.names:
        if alias.name == "*":
            continue
        name = alias.asname or alias.name
        if isinstance(module, File):
            scope.values[name] = module.member(m, alias.name)
        elif isinstance(module, External):
            beside = file.project.imported(file, f"{dotted}.{alias.name}", 0) if not _of_torch(dotted) else None
            scope.values[name] = beside if isinstance(beside, File) else external(f"{module.path}.{alias.name}")
        elif statement.level and isinstance(module, Unknown):
            beside = file.project.imported(file, f"{dotted}.{alias.name}".strip("."), statement.level)
            scope.values[name] = beside if isinstance(beside, File) else module


def _of_torch(dotted: str) -> External | None:
    top = dotted.partition(".")[0]
    return External(dotted) if top in ("torch", "numpy", "math") else None
