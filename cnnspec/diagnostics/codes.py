"""Every diagnostic code, declared once: its sentences as templates of the facts that the finder of a mistake reports.

E0 reading and bounds, E1 text, names and arguments, E2 shapes, E3 values, E4 imports and models, W0 comments that
silence warnings. W2, warnings about networks, stand with their rules in `cnnspec.lint.rules`. A code is never given a second
meaning. Headlines start in lower case, state the fact and have no full stop; the label says what the marked text is; the help
is the way out.
"""

from __future__ import annotations

from cnnspec.record import record


@record
class Code:
    """The words of one kind of finding."""

    id: str
    message: str
    label: str = ""
    note: str = ""
    help: str = ""
    default: bool = True
    """False for a warning that is given only where it is asked for."""

    @property
    def severity(self) -> str:
        return "error" if self.id[0] == "E" else "warning"


# Reading a file, and bounds
NOT_TEXT = Code("E001", "the file is not UTF-8 text", "byte {byte} in line {line}, {offset} bytes into the file")
FILE_TOO_LARGE = Code("E002", "the file is larger than {limit:,} bytes", "not read")
TOO_MANY_TOKENS = Code("E003", "the file and its imports have more than {limit:,} words and signs", "one too many")
NESTED_TOO_DEEPLY = Code("E004", "this is nested more than {limit} levels deep", "one level too many")
TOO_MANY_LAYERS = Code(
    "E005",
    "the network has more than {limit:,} layers",
    "{found} layers up to here",
    help="shorten the loops, or put models into files of their own",
)
TOO_MANY_STEPS = Code("E006", "the file asks for more than {limit:,} {what}", "stopped here")
INTEGER_TOO_LARGE = Code("E007", "the number is larger than {limit:,}", "too large")
SEQUENCE_TOO_LONG = Code("E008", "the result would have more than {limit:,} items", "too long")
TOO_MANY_MISTAKES = Code("E009", "there are more than {limit:,} mistakes", "the rest is not looked at")
NOT_A_SPEC = Code("E010", "the file is {what}, not a spec", "the first sign of it")

# Text
UNEXPECTED = Code("E101", "{found} can't {verb} here", "expected {expected}")
NOT_CLOSED = Code("E102", "`{bracket}` is never closed", "opened here")
UNKNOWN_CHARACTER = Code("E103", "`{character}` is no part of the language", "{name}")
STRING_NOT_CLOSED = Code("E104", "the string has no end", 'expected `"` before the end of the line')
WRONG_ESCAPE = Code("E105", "`{escape}` is no escape", 'in a string: `\\"`, `\\\\`, `\\n` and `\\t`')

# Names and arguments
UNKNOWN_LAYER = Code("E110", "there is no layer or block `{name}`", "unknown name")
UNKNOWN_PARAMETER = Code("E111", "{layer} has no parameter `{name}`", "unknown parameter", note="{layer} {takes}")
MISSING_ARGUMENT = Code("E112", "{layer} needs {missing}", "gives no {missing}", note="in full it is {signature}")
TOO_MANY_ARGUMENTS = Code("E113", "{layer} is given too many arguments", "one too many", note="{layer} {takes}")
DUPLICATE_ARGUMENT = Code("E114", "{layer} is given `{name}` twice", "given again", help="leave one of the two out")
WRONG_TYPE = Code("E115", "{name} of {layer} can't be {value}", "has to be {wants}")
OUT_OF_RANGE = Code("E116", "{name} of {layer} can't be {value}", "has to be {wants}")
UNKNOWN_NAME = Code("E117", "there is no name `{name}` here", "unknown name")
BOUND_TWICE = Code("E118", "`{name}` is bound twice in this body", "bound again", help="use another name")
POSITIONAL_AFTER_KEYWORD = Code("E119", "an argument by position can't follow one by name", "give its name")
NO_INFERRED = Code("E120", "{layer} takes no `in -> out`", "only layers with a width of their own do")
NOT_CALLABLE = Code("E121", "`{name}` is {found}, not a layer or block", "can't be used as a layer")
MODULE_NAME_TAKEN = Code("E122", "a module of this body is called `{name}` already", "second use of the name")
UNKNOWN_VALUE_NAME = Code(
    "E123",
    "there is no value `{name}` here",
    "unknown name",
    note="`... as name` names the value of a statement for those below it, in its body and in bodies inside of that",
)
BAD_MODULE_NAME = Code("E124", "a module can't be called `{name}`", "{why}", help="call it `{fix}`")
NEEDS_ARGUMENTS = Code("E125", "`{name}` has to be told what to merge", "nothing given", help="{fix}")
SHAPE_NAME = Code("E126", "`{name}` can't be bound", "gives the shape at its place, always", help="use another name")
TORCH_ORDER = Code(
    "E127",
    "{layer} takes {takes} by position, everything else by name",
    "in PyTorch's order this is {order}",
    note="{inferred} follows from what arrives and is not written, or stated by `{inferred}=...`",
)
OUT_OF_SCOPE = Code("E128", "`{name}` is no part of the language", "out of scope")
VALUE_IN_EXPRESSION = Code(
    "E129",
    "a value of the network can't {use}",
    "known when the network runs alone",
    note="values are handed on, merged, and compared with `none`; their sizes are numbers: `channels(x)`, `size(x)`",
)
NOT_A_VALUE = Code("E130", "`use` takes values of the network, not {found}", "no value of the network")
VALUE_LOST = Code("E131", "the value here would be lost", "leaves a value that has no name")
TAKES_ONE = Code("E132", "{layer} takes {wants}, this is {found}", "takes {wants}")
TAKES_TUPLE = Code("E133", "{layer} takes a tuple of {count} values, this is one", "takes a tuple")
PATTERN_LENGTH = Code("E134", "{found}, and the pattern names {count}", "{count} names")
NOT_A_TUPLE = Code("E135", "`{name}` is one value, not a tuple", "has the shape {shape}")
NO_MODULE = Code("E136", "no labelled module gave `{name}`", "`again` runs a module once more")
BUILT_DIFFERENTLY = Code(
    "E137",
    "`{name}` can't run again here: it would be built differently",
    "{what}",
    note="`again` shares the weights of the module, so that its layers have to be the same",
)
NO_PART = Code(
    "E138",
    "`{name}` has no part `{part}`",
    "no label of a module in it",
    note="a path is made of labels: `backbone.layer3`",
)
WRONG_BRANCHES = Code("E139", "{name} takes {wants}; there are {found}", "wants {wants}")
WEIGHT_UNUSED = Code("E140", "the weight `{name}` is never used", "learned for nothing", help="use it, or delete it")
UNNAMED = Code("E141", "{what} needs a name", "write {fix}")
WRONG_LABEL = Code("E142", "{what} has one name, not several", "one name")
NO_OPERAND = Code("E143", "`{name}` merges {takes}, not {found}", "can't be merged")
FUNCTION_AS_VALUE = Code("E144", "`{name}` is a function, which is no value", "not called")
SHAPE_IN_FUNCTION = Code("E145", "`{name}` has no meaning in a function or constant", "stands in no network")
NAMES_IN_CIRCLE = Code("E146", "`{name}` is worked out from itself", "leads back here", note="{chain}")
ASSERT_FAILS = Code("E147", "the assertion does not hold", "{found}")
FACTORS_DIFFER = Code(
    "E149",
    "matmul of shapes that don't fit: {first} and {second}",
    "columns of the first have to be as many as rows of the second, all in front equal",
)
OVER_BUDGET = Code("E154", "the budget does not hold", "{found}")

# Shapes
WRONG_RANK = Code("E201", "{layer} expects {expected} but gets {found}")
WRONG_ANNOTATION = Code("E202", "the shape here is {found}, not {declared}", "declared here")
WRONG_WIDTH = Code("E203", "{layer} expects {declared} {counts} but gets {found}", "declares {declared}")
WINDOW_TOO_LARGE = Code(
    "E204", "the window of {layer} is larger than its input: {window} on {size}", "spans {window} along {axis}"
)
NOT_DIVISIBLE = Code(
    "E205",
    "{what} ({value}) of {layer} can't be divided by {divisor_name} ({divisor})",
    "{value} is no multiple of {divisor}",
)
PADDING_TOO_LARGE = Code("E206", "the padding of {layer} is too large: {padding}")
EMPTY_OUTPUT = Code("E207", "the output of {layer} would have size {size} along {axis}", "gives {size}")
BRANCHES_DIFFER = Code("E208", "{merge} of different shapes: {first} and {second}", "{rule}")
CONCAT_DIFFERS = Code(
    "E209", "concat of shapes that differ in more than {along}: {first} and {second}", "may differ in {along} only"
)
WRONG_COMBINATION = Code("E210", "arguments that do not go together")
WRONG_DIMENSION = Code("E211", "{layer} has no dimension {dim} in {shape}", "counted with the batch as 0: {range}")
SIZES_DISAGREE = Code("E212", "sizes that do not make up others")
WRONG_SHAPE_ARGUMENT = Code("E213", "{layer} expects {declared} but gets {found}", "declares {declared}")
TOO_FEW_VALUES = Code("E214", "{layer} has only one value a {unit} to normalise", "gets {found}")
TENSOR_TOO_LARGE = Code("E215", "{what} would hold more than {limit:,} values", "too large")
NO_SUCH_SIZE = Code("E216", "there is no `{name}`: the shape here is {shape}", "{why}")
BATCH_DIMENSION = Code(
    "E218",
    "{layer} can't {what} the batch dimension",
    "dimension 0 is the batch",
    note="the batch may be of any size and stays the first dimension",
)
SIZE_DECIDES = Code(
    "E219",
    "what the network is may not depend on the size of its input",
    "{what}",
    note="one network, with its weights, takes inputs of every size that `where` admits",
    help="{fix}",
)
SIZE_BUILDS = Code(
    "E220",
    "{layer} can't be built for inputs of every size: {what}",
    "gets {found}",
    note="its weights would be others for each size of the input",
    help="{fix}",
)
SIZE_DIVIDED = Code(
    "E221",
    "`{left} / {right}` is no whole number for every size",
    "a size has to be whole",
    help="write `{left} // {right}`",
)
SIZES_TOO_MANY = Code(
    "E222",
    "what happens here can't be decided for all sizes at once",
    "{why}",
    help="give the sizes as numbers, or one name to sizes that are always equal, as in `input [3, S, S]`",
)

# Values of expressions
WRONG_OPERAND = Code("E301", "`{operator}` can't be used on {operands}", "")
DIVISION_BY_ZERO = Code("E302", "division by zero", "the divisor is 0")
WRONG_VALUE = Code("E303", "{what} can't be {value}", "has to be {wants}")
INDEX_OUT_OF_RANGE = Code("E304", "there is no item {index} in a sequence of {length}", "counted from 0")
WRONG_CALL = Code("E305", "`{function}` {problem}", "")
WRONG_UNPACKING = Code("E306", "{value} can't be spread over {count} names", "{count} names")

# Models, blocks, imports
NO_INPUT = Code(
    "E401",
    "model `{name}` has no input",
    "no `input [...]`",
    help="start its body with `input [channels, height, width]`",
)
INPUT_MISPLACED = Code("E402", "`input` {problem}", "{label}")
DUPLICATE_DEFINITION = Code("E403", "`{name}` is defined twice", "second definition")
RECURSION = Code(
    "E404",
    "block `{name}` uses itself",
    "used again here",
    note="{chain}",
    help="repeat with `repeat` or `for` instead",
)
IMPORT_NOT_FOUND = Code("E405", "there is no file {path}", "not found")
IMPORT_OUTSIDE = Code(
    "E406",
    "`{path}` can't be imported",
    "{reason}",
    note="imports stay in the folder of the project, symbolic links included",
)
IMPORT_CYCLE = Code("E407", "the imports go round in a circle", "leads back here", note="{chain}")
NOT_IN_IMPORT = Code("E408", "{path} has no `{name}`", "not defined there")
TOO_MANY_IMPORTS = Code("E409", "more than {limit} {what}", "one too many")
UNKNOWN_MODEL = Code("E410", "there is no model `{name}`", "", note="{known}")
UNKNOWN_MODEL_PARAMETER = Code("E411", "model `{model}` has no parameter `{name}`", "", note="{known}")
NO_DEFAULT = Code("E412", "parameter `{name}` of model `{model}` has no default", "give it one: `{name} = ...`")
NO_MODEL = Code(
    "E413",
    "there is no model in this file",
    "",
    help="a network is written `model Name {{ input [channels, height, width] ... }}`",
)
TRAIN_TARGET = Code("E414", "{problem}", "{label}")
DUPLICATE_SETTING = Code("E415", "`{name}` is set twice", "set again")
CONDITION_FAILS = Code("E417", "the input breaks its own condition", "`{condition}` does not hold")
SEVERAL_MODELS = Code("E418", "the file has several models", "", note="{known}")
INPUT_DIFFERS = Code(
    "E419",
    "{model} takes {declared}, but gets {found}",
    "gets {found}",
    note="a model that is used as a block checks what arrives; `input [3, H, W]` takes every size",
)
VARIANT_OF_BLOCK = Code("E420", "`{name}` is no model", "a variant is of a model", note="a block has no input")
PARAMETER_FIXED = Code("E421", "`{name}` of model `{model}` is given already", "given in this definition")
EMPTY_MODEL = Code("E416", "model `{name}` has no layers", "nothing but its input")

# Recipes
UNKNOWN_SETTING = Code("E501", "a recipe has no setting `{name}`", "unknown setting", note="{known}")
UNKNOWN_COMPONENT = Code("E502", "there is no `{name}` for `{setting}`", "unknown name", note="{known}")
IMAGES_DO_NOT_FIT = Code("E503", "the images of {data} are {found}, but {model} takes {wanted}", "gives {found}")
CLASSES_DO_NOT_FIT = Code(
    "E504", "{data} has {classes} classes, but {model} gives {output} numbers", "{classes} classes"
)
OUTPUT_DOES_NOT_FIT = Code(
    "E505", "{loss} takes {wants}, but the model gives {output}", "can't take {output}", help="{fix}"
)
VALUES_DO_NOT_FIT = Code(
    "E506",
    "{loss} takes {wants}, but the last layer gives {found}",
    "gives {found}",
    note="{reason}",
    help="{fix}",
)
UNKNOWN_MODULE = Code("E507", "`{setting}` names no module of {model}: `{name}`", "no such key in its state dict")
OUTPUTS_DIFFER = Code("E508", "{model} has {outputs}, but the recipe has {losses}", "one loss for each output")

# Python source with torch
TENSOR_OPERATION = Code("E701", "{operation} {problem}", "{label}")
SHAPES_DIFFER = Code(
    "E702",
    "{operation} of tensors that don't fit: {first} and {second}",
    "don't fit",
    note="sizes have to be equal, or one of them 1, counted from the last dimension",
)
JOIN_DIFFERS = Code(
    "E703", "{operation} of tensors that differ in more than dimension {dim}: {first} and {second}", "don't fit"
)
VIEW_DIFFERS = Code("E704", "{operation} can't turn {found} into {wanted}", "{fixed} has to divide {values}")
TENSOR_DIMENSION = Code("E705", "{operation} has no dimension {dim} in {shape}", "may be {range}")
PRODUCT_DIFFERS = Code(
    "E706", "{operation} of {first} and {second}: the inner sizes are {inner} and {outer}", "have to be equal"
)
PYTHON_RAISES = Code("E707", "this raises {error}: {text}", "raised here")
NOT_PYTHON = Code("E708", "the file is no Python that can be read: {problem}", "stops here")
NO_SUCH_CLASS = Code("E709", "there is no `{name}` to check in this file", "", note="{known}")
NO_GRAPH = Code("E711", "{name} was not followed to its end: can't follow {reason}", "stops here")
SHAPE_STATED = Code("E712", "{what} is {found}, not {stated}", "states {stated}")
BAD_INPUT_COMMENT = Code(
    "E710",
    "`{text}` is no input shape",
    "not a shape",
    help="write the sizes without the batch, as in `# cnnspec: input 3x32x32`",
)

# Import
NOT_IMPORTED = Code("E820", "a spec can't say this: {reason}", "has no counterpart")
DIFFERS_IN_TRAINING = Code(
    "E821",
    "`{name}` computes something else in training",
    "decides by `self.training`",
    help="--mode eval imports what it does in evaluation, --mode train what it does in training",
)

# Warnings about Python source with torch
NOT_FOLLOWED = Code(
    "W301",
    "{name} was not followed to its end: can't follow {reason}",
    "stops here",
    note="what was followed up to there holds; the rest of {name} was not checked",
    default=False,
)
EPS_FOR_MOMENTUM = Code(
    "W302",
    "{layer} with an eps of {eps}",
    "the second argument is eps",
    note="eps only keeps the division from zero and is 1e-05 by default; momentum is the third argument",
    help="write `momentum={eps}` if that was meant",
)
PLAIN_LIST = Code(
    "W303",
    "a module in the {kind} `{name}` is not registered",
    "its weights are unknown to the module",
    note="parameters(), to() and state_dict() do not see it: it is neither trained nor moved nor saved",
    help="use nn.ModuleList or nn.ModuleDict",
)
UNUSED_MODULE = Code("W304", "`{name}` is made and never used", "forward does not run it", help="use it, or delete it")
FOLDED_BATCH = Code(
    "W305",
    "this makes {rows} rows of every sample: {before} becomes {after}",
    "the batch grows",
    note="the output has {rows} rows a sample, so that a loss compares them with too few targets",
    help="keep the batch with `x.flatten(1)` or `x.view(x.size(0), -1)`",
)
DROPOUT_IN_EVALUATION = Code(
    "W306",
    "`{name}` without `training` drops values in evaluation, too",
    "always active",
    help="write `training=self.training`, or use the module nn.Dropout",
)
SOFTMAX_BEFORE_LOSS = Code(
    "W307",
    "a softmax in front of {loss}",
    "the last step of the network",
    note="{loss} applies log-softmax itself and expects scores; behind a softmax the gradients vanish",
    help="give the scores as they are, and take the softmax where probabilities are shown",
)

# Suppressions
UNUSED_SUPPRESSION = Code("W001", "this comment silences no `{name}`", "nothing to silence here")
UNKNOWN_SUPPRESSION = Code("W002", "{problem}", "{label}", note="comments silence warnings: `# cnnspec: ignore[W202]`")

CODES = {code.id: code for code in list(globals().values()) if isinstance(code, Code)}
