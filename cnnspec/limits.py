"""Every bound on what a spec may ask for, so that any text is answered in bounded time and memory."""

from cnnspec.record import record


@record
class Limits:
    """The bounds of one check. Each has a diagnostic that names it; none can be lifted from a spec."""

    file_bytes: int = 4 * 1024 * 1024
    """Size of one file: 10,000 layers take about 0.5 MB."""
    tokens: int = 150_000
    """Tokens of a file and of all that it imports: 10,000 layers that are written out take about 120,000, blocks few. Reading
    them takes up to 10 microseconds each, and what they say as long again."""
    mistakes: int = 200
    """Mistakes in the text of one file, after which the rest of it is not read."""
    errors: int = 200
    """Errors of one check, after which nothing more is looked at. A terminal shows fewer."""
    met: int = 400
    """Errors that the models of one check may come by, those of each pass of a loop and each use of a block, after which no
    more is expanded: what is wrong there takes a hundred times as long as what is right."""
    branches: int = 1_000
    """Branches, or values, of one merge."""
    nesting: int = 64
    """Depth of brackets, bodies and blocks; also keeps the compiled module far from Python's recursion limit."""
    models: int = 1_000
    """Models of one check, variants included: each takes the time of about 15 layers besides its own."""
    layers: int = 100_000
    """Layers of all models of one check, after blocks and loops are expanded."""
    steps: int = 70_000
    """Statements and loop passes that all models of one check may run while they are expanded. A layer with arguments
    counts as 5, a merge and a branch as 7: 14,000 such layers take about a second and a half."""
    expansions: int = 10_000
    """Uses of blocks that all models of one check may expand; uses that equal an earlier one are free."""
    operations: int = 250_000
    """Expression operations that all models of one check may evaluate."""
    integer: int = 2**63 - 1
    """Largest absolute value of an integer: what torch can hold in a size."""
    sequence: int = 100_000
    """Length of a list, tuple or string that an expression may build."""
    imported_files: int = 32
    """Files that one spec may import, itself included."""
    import_depth: int = 16
    """Length of a chain of imports."""
    grid: int = 32_768
    """Sizes of one axis that are looked at to decide for all: where the answers start to repeat, and one period of them."""
    points: int = 3_000_000
    """Sizes that are looked at to answer what all models of one check ask about sizes by name."""
    free_sizes: int = 32
    """Sizes of a model's inputs that are given by names."""
    inputs: int = 1_000
    """Inputs of one model."""
    size_cases: int = 256
    """Parts of the admitted sizes for which the rule of one layer may differ."""
    repaired: int = 20
    """Errors of one check that fixes are looked for. It reports nothing, as the next bound."""
    repair_trials: int = 60
    """Edits that are tried for one error: the best fixes found until then are offered."""
    repair_layers: int = 3_000
    """Layers that all trials for one error may go through, the last one not counted."""
    repair_all: int = 10_000
    """The same for all errors of a check."""


LIMITS = Limits()
