"""What functions of libraries give: torch, math, numpy, functools, itertools, argparse and a few more."""

from __future__ import annotations

import ast
import itertools
import math

from cnnspec.torch_source.copies import copied
from cnnspec.torch_source.functional import FUNCTIONAL, call_functional
from cnnspec.torch_source.machine import Machine
from cnnspec.torch_source.operations import OPERATIONS, perform
from cnnspec.torch_source.operators import is_plain
from cnnspec.torch_source.options import new_parser
from cnnspec.torch_source.script import Place
from cnnspec.torch_source.stops import Raised, Stop
from cnnspec.torch_source.values import (
    Builtin,
    Class,
    Defaults,
    Fresh,
    Instance,
    Opaque,
    Partial,
    Record,
    Size,
    Tensor,
    Unknown,
    Wrapped,
    depends_on_batch,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Native = Callable[[Machine, Place, list[object], dict[str, object]], object]

_FUNCTIONS: dict[str, Native] = {}
_QUIET = frozenset(
    ["warnings.warn", "torch.manual_seed", "torch._C._log_api_usage_once", "torch.cuda.manual_seed", "random.seed",
     "torch.cuda.manual_seed_all", "numpy.random.seed", "torch.set_default_dtype", "torch.cuda.empty_cache",
     "torch._assert", "warnings.filterwarnings", "warnings.simplefilter", "torch.set_float32_matmul_precision",
     "torch.cuda.synchronize", "torchvision.utils._log_api_usage_once", "torch.fx.wrap", "gc.collect", "time.time",
     "torch.set_printoptions", "torchvision.disable_beta_transforms_warning", "os.makedirs"]
)  # fmt: skip
_FALSE = frozenset(
    ["torch.cuda.is_available", "torch.jit.is_scripting", "torch.jit.is_tracing", "torch.backends.mps.is_available",
     "torch.distributed.is_initialized", "torch.distributed.is_available", "torch.onnx.is_in_onnx_export",
     "torch._C._get_tracing_state", "torch.cuda.is_bf16_supported", "torch.is_complex", "torch.compiler.is_compiling",
     "torch.is_autocast_enabled", "torch.overrides.has_torch_function"]
)  # fmt: skip
_OPAQUE = frozenset(
    ["torch.device", "torch.no_grad", "torch.enable_grad", "torch.autocast", "torch.cuda.amp.autocast", "torch.Generator",
     "torch.inference_mode", "torch.cuda.current_device", "logging.getLogger", "torch.set_grad_enabled",
     "contextlib.nullcontext", "torch.get_default_dtype", "torch.finfo", "torch.iinfo", "torch.dtype", "typing.TypeVar"]
)  # fmt: skip


def library(*paths: str) -> Callable[[Native], Native]:
    """Register a function under its dotted paths."""

    def register(native: Native) -> Native:
        _FUNCTIONS.update(dict.fromkeys(paths, native))
        return native

    return register


def call_external(m: Machine, path: str, arguments: list[object], keywords: dict[str, object], place: Place) -> object:
    """The value of a call of a function that is not of the project."""
    native = _FUNCTIONS.get(path)
    if native is not None:
        return native(m, place, arguments, keywords)
    if path.startswith("torch.nn.init."):
        return arguments[0] if arguments else None
    if path in _QUIET or path.startswith("logging."):
        return Opaque(path) if path in _OPAQUE else None
    if path in _FALSE:
        return False
    if path in _OPAQUE:
        return Opaque(path)
    top = path.partition(".")[0]
    last = path.rpartition(".")[2]
    if path.startswith("torch.nn.functional."):
        return call_functional(m, last, arguments, keywords, place)
    if top in ("math", "numpy"):
        return _calculate(m, path, last, arguments, keywords, place)
    if (top == "torch" and path.count(".") == 1) or path.startswith(("torch.special.", "torch.linalg.")):
        return _of_torch(m, last, arguments, keywords, place)
    for value in (*arguments, *keywords.values()):
        if isinstance(value, Instance) and value.is_module:
            raise Stop(f"`{path}`, which is not in the project and may change a module", place)
    return Unknown(_reason(path, top), place)


def _reason(path: str, top: str) -> str:
    if top in ("torchvision", "timm"):
        return f"`{path}`, because {top} is not read"
    return f"`{path}`, which is not in the project"


def _of_torch(m: Machine, name: str, arguments: list[object], keywords: dict[str, object], place: Place) -> object:
    if name in OPERATIONS:
        return perform(m, name, place, arguments, keywords)
    if name in FUNCTIONAL:
        return call_functional(m, name, arguments, keywords, place)
    raise Stop(f"`torch.{name}`", place)


# --- torch ---


@library("torch.is_tensor")
def _is_tensor(m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    return arguments[0] if isinstance(arguments[0], Unknown) else isinstance(arguments[0], Tensor)


@library("torch.is_grad_enabled", "torch.is_floating_point")
def _true(m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    return True


@library("torch.cuda.device_count")
def _one(m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    return 1


@library("timm.layers.to_2tuple", "timm.models.layers.to_2tuple", "timm.layers.helpers.to_2tuple")
def _pair(m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    value = arguments[0]
    return tuple(value) if isinstance(value, (list, tuple)) else (value, value)


@library("timm.layers.trunc_normal_", "timm.models.layers.trunc_normal_", "timm.layers.weight_init.trunc_normal_")
def _first(m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    return arguments[0] if arguments else None


@library("torch.Size")
def _size(m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    sizes = m.iterate(arguments[0], place)
    return Size(size for size in sizes if isinstance(size, int))


@library("torch.utils.checkpoint.checkpoint", "torch.utils.checkpoint.checkpoint_sequential")
def _checkpoint(m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    if place.text.startswith("checkpoint_seq"):
        return m.call(arguments[0], arguments[2:], {}, place)
    rest = {key: value for key, value in keywords.items() if key not in ("use_reentrant", "preserve_rng_state")}
    return m.call(arguments[0], arguments[1:], rest, place)


@library("torch.autograd.Variable", "torch.jit.script", "torch.compile", "torch.jit.trace", "torch.jit.annotate",
         "typing.cast",
         "torch.nn.utils.remove_weight_norm", "torch.ao.quantization.prepare", "torch.jit.ignore")  # fmt: skip
def _itself(m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    return arguments[-1] if place.text.startswith(("cast", "typing.cast", "torch.jit.annotate")) else arguments[0]


_SPECTRAL = ("name", "n_power_iterations", "eps", "dim")
_OLD_SPECTRAL = {"original": "weight_orig", "0._u": "weight_u", "0._v": "weight_v"}
_OLD_NORM = {"original0": "weight_g", "original1": "weight_v"}


@library("torch.nn.utils.parametrizations.spectral_norm")
def _spectral_norm(m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    """Divides a weight by its largest singular value: shapes and the number of parameters stay."""
    return _wrapped(m, place, "spectral_norm", dict(zip(_SPECTRAL, arguments[1:])) | keywords, arguments[0], {})


@library("torch.nn.utils.spectral_norm", "torch.nn.utils.spectral_norm.spectral_norm")
def _old_spectral_norm(m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    """The same, under the keys that it had before."""
    given = dict(zip(_SPECTRAL, arguments[1:])) | keywords
    return _wrapped(m, place, "spectral_norm", given, arguments[0], _OLD_SPECTRAL)


def _wrapped(
    m: Machine, place: Place, name: str, given: dict[str, object], wrapped: object, keys: dict[str, str]
) -> object:  # fmt: skip
    module = m.known(wrapped, place)
    if isinstance(module, Instance):
        module.wrapped = Wrapped(name, {key: value for key, value in given.items() if key != "name"}, keys)
        if given.get("name", "weight") != "weight":
            module.wrapped = Wrapped(name, None, {})
    return module


@library("torch.nn.utils.parametrizations.weight_norm")
def _weight_norm(m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    """Adds the length of each filter as a parameter."""
    return _with_lengths(m, place, arguments, keywords, {})


@library("torch.nn.utils.weight_norm")
def _old_weight_norm(m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    """The same, under the keys that it had before."""
    return _with_lengths(m, place, arguments, keywords, _OLD_NORM)


def _with_lengths(
    m: Machine, place: Place, arguments: list[object], keywords: dict[str, object], keys: dict[str, str]
) -> object:  # fmt: skip
    given = dict(zip(("name", "dim"), arguments[1:])) | keywords
    module = m.known(arguments[0], place)
    name, dim = str(given.get("name", "weight")), given.get("dim", 0)
    weight = m.attribute(module, name, place)
    if not isinstance(module, Instance) or not isinstance(weight, Tensor) or not isinstance(dim, (int, type(None))):
        raise Stop("weight_norm() of this", place)
    length = () if dim is None else tuple(size if axis == dim else 1 for axis, size in enumerate(weight.shape))
    module.children[f"{name}_g"] = Tensor(length, parameter=True)
    return _wrapped(m, place, "weight_norm", given, module, keys)


_TUPLES = {"_single": 1, "_pair": 2, "_triple": 3, "_quadruple": 4}


@library(*(f"torch.nn.modules.utils.{name}" for name in _TUPLES))
def _spread(m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    """A number as a tuple of equal ones; what is a sequence already, as a tuple."""
    value = m.known(arguments[0], place)
    if isinstance(value, (list, tuple, str)):
        return tuple(m.iterate(value, place))
    name = place.text.partition("(")[0].rpartition(".")[2]
    if name not in _TUPLES:
        raise Stop("a tuple of as many numbers as another name says", place)
    return (value,) * _TUPLES[name]


# --- Python's libraries ---


@library("dataclasses.field")
def _field(m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    """The default of a field of a dataclass."""
    if "default_factory" in keywords:
        return Fresh(keywords["default_factory"])
    if "default" not in keywords:
        raise Stop("a field without a default", place)
    return keywords["default"]


@library("dataclasses.replace")
def _with_changes(m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    """A copy of a dataclass with other values in some of its fields."""
    (value,) = arguments
    if not isinstance(value, Instance) or not isinstance(value.cls, Class) or not value.cls.style:
        raise Stop("replace() of this", place)
    fields = {name: value.attributes[name] for name in value.attributes if name in value.cls.fields}
    return m.call(value.cls, [], fields | keywords, place)


@library("functools.partial", "functools.partialmethod")
def _partial(m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    return Partial(arguments[0], list(arguments[1:]), dict(keywords))


_FUNCTIONS["argparse.ArgumentParser"] = new_parser


@library("functools.reduce")
def _reduce(m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    items = list(m.iterate(arguments[1], place))
    result = arguments[2] if len(arguments) > 2 else items.pop(0) if items else None
    for item in items:
        result = m.call(arguments[0], [result, item], {}, place)
    return result


def _of_operator(kind: type[ast.AST]) -> Native:
    def native(m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
        return m.binary(kind, arguments[0], arguments[1], place)

    return native


_FUNCTIONS |= {
    f"operator.{name}": _of_operator(kind) for name, kind in (("mul", ast.Mult), ("add", ast.Add), ("sub", ast.Sub))
}


@library("copy.deepcopy", "copy.copy")
def _copy(m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    return copied(m, arguments[0], place, deep="deepcopy" in place.text)


@library("dataclasses.asdict")
def _as_dict(m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    (value,) = arguments
    if not isinstance(value, Instance) or not isinstance(value.cls, Class) or not value.cls.style:
        raise Stop("asdict() of this", place)
    m.spend(len(value.attributes), place)
    return dict(value.attributes)


@library("collections.defaultdict")
def _defaults(m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    if len(arguments) > 1 or keywords:
        raise Stop("a defaultdict that begins with entries", place)
    return Defaults(arguments[0] if arguments else None)


@library("collections.OrderedDict")
def _ordered(m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    from cnnspec.torch_source.python_functions import BUILTINS

    return BUILTINS["dict"](m, place, arguments, keywords)


@library("collections.namedtuple")
def _namedtuple(m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    fields = arguments[1]
    names = fields.replace(",", " ").split() if isinstance(fields, str) else list(m.iterate(fields, place))
    order = tuple(str(name) for name in names)

    def new(machine: Machine, at: Place, values: list[object], named: dict[str, object]) -> object:
        return Record(dict(zip(order, values)) | named, order)

    return Builtin(str(arguments[0]), new)


@library("itertools.chain")
def _chain(m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    items = [item for one in arguments for item in m.iterate(one, place)]
    m.spend(len(items), place)
    return items


@library("itertools.pairwise")
def _pairwise(m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    items = m.iterate(arguments[0], place)
    m.spend(len(items), place)
    return [*itertools.pairwise(items)]


@library("itertools.product")
def _product(m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    rows: list[tuple[object, ...]] = [()]
    for one in arguments:
        items = m.iterate(one, place)
        m.spend(len(rows) * len(items), place)
        rows = [(*row, item) for row in rows for item in items]
    return rows


@library("itertools.repeat")
def _repeat(m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    if len(arguments) != 2 or not isinstance(arguments[1], int):
        raise Stop("an endless repetition", place)
    m.spend(arguments[1], place)
    return [arguments[0]] * arguments[1]


@library("argparse.Namespace", "types.SimpleNamespace", "easydict.EasyDict", "omegaconf.OmegaConf.create")
def _namespace(m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    values = dict(keywords)
    if arguments and isinstance(arguments[0], dict):
        values |= {str(key): value for key, value in arguments[0].items()}
    return Record(values)


# --- numbers ---


_MATH: dict[str, Callable[..., object]] = {
    "ceil": math.ceil, "floor": math.floor, "sqrt": math.sqrt, "log": math.log, "log2": math.log2, "log10": math.log10,
    "exp": math.exp, "gcd": math.gcd, "lcm": math.lcm, "cos": math.cos, "sin": math.sin, "tan": math.tan,
    "isinf": math.isinf, "isnan": math.isnan, "trunc": math.trunc, "fabs": math.fabs, "abs": abs, "round": round,
    "around": round, "int64": int, "int32": int, "float32": float, "float64": float, "tanh": math.tanh,
    "maximum": max, "minimum": min, "hypot": math.hypot, "log1p": math.log1p, "rint": round, "isclose": math.isclose,
}  # fmt: skip


def _calculate(
    m: Machine, path: str, name: str, arguments: list[object], keywords: dict[str, object], place: Place
) -> object:
    for value in arguments:
        if isinstance(value, Unknown):
            return value
        if isinstance(value, Tensor):
            return Unknown("a number that the values of a tensor give", place)
    if name in ("pow", "power"):
        return m.binary(ast.Pow, arguments[0], arguments[1], place)
    if name in ("prod", "sum", "cumsum"):
        return _folded(m, name, arguments, place)
    if name in ("array", "asarray", "linspace", "arange", "concatenate"):
        return _sequence(m, name, arguments, place)
    function = _MATH.get(name)
    numbers = all(isinstance(value, (int, float)) and not depends_on_batch(value) for value in arguments)
    if function is None or not numbers or not arguments:
        return Unknown(f"`{path}`", place)
    if any(isinstance(value, int) and value.bit_length() > 512 for value in arguments):
        return Unknown(f"`{path}` of so large a number", place)
    try:
        return function(*arguments)
    except (TypeError, ValueError, OverflowError) as error:
        raise Raised(type(error).__name__, str(error)[:100], place) from None


def _folded(m: Machine, name: str, arguments: list[object], place: Place) -> object:
    items = m.iterate(arguments[0], place)
    kind = ast.Mult if name == "prod" else ast.Add
    total: object = 1 if name == "prod" else 0
    sums: list[object] = []
    for item in items:
        if isinstance(item, (list, tuple)):
            return Unknown(f"`{name}` of this", place)
        m.step()
        total = m.binary(kind, total, item, place)
        sums.append(total)
    return sums if name == "cumsum" else total


def _sequence(m: Machine, name: str, arguments: list[object], place: Place) -> object:
    if name == "concatenate":
        return [item for part in m.iterate(arguments[0], place) for item in m.iterate(part, place)]
    if name in ("array", "asarray"):
        return (
            list(arguments[0])
            if isinstance(arguments[0], (list, tuple)) and is_plain(arguments[0])
            else Unknown("an array", place)
        )
    numbers = [value for value in arguments if isinstance(value, (int, float))]
    if len(numbers) != len(arguments) or any(map(depends_on_batch, numbers)):
        return Unknown(f"`{name}` of this", place)
    if name == "linspace" and len(numbers) == 3 and isinstance(numbers[2], int) and numbers[2] > 0:
        start, end, count = numbers
        m.spend(int(count), place)
        return [start + (end - start) * step / (count - 1) if count > 1 else start for step in range(int(count))]
    if name == "arange" and all(isinstance(value, int) for value in numbers) and 1 <= len(numbers) <= 3:
        from cnnspec.torch_source.python_functions import BUILTINS

        return BUILTINS["range"](m, place, arguments, {})
    return Unknown(f"`{name}` of this", place)
