"""What each rule is about. Do not edit: python -m tools.make_index writes this file."""

# File: what it looks at, with the code, whether it does so unasked, and the words of which one has to be there.
INDEX: dict[str, dict[str, tuple[str, bool, str]]] = {
    "activation_before_loss": {"recipe": ("W201", True, "")},
    "bias_before_norm": {"run": ("W204", False, "batch")},
    "bottleneck_of_one": {"run": ("W209", True, "linear")},
    "dropout_before_norm": {"run": ("W207", True, "batch")},
    "large_linear": {"graph": ("W217", True, "linear")},
    "linear_on_map": {"run": ("W203", True, "linear")},
    "mostly_padding": {"run": ("W206", True, "slides")},
    "narrow_view": {"graph": ("W225", False, "slides")},
    "no_gradient_in_place": {"run": ("W219", True, "inplace")},
    "no_nonlinearity": {"run": ("W202", True, "linear")},
    "one_value_per_channel": {"recipe": ("W208", True, "batch"), "run": ("W208", False, "batch")},
    "outer_product": {"graph": ("W216", True, "multiply")},
    "overwrites_value": {"graph": ("W218", True, "inplace")},
    "shadows_layer": {"file": ("W215", True, "block let for parameter")},
    "softmax_over_batch": {"run": ("W220", True, "Softmax LogSoftmax Softmin")},
    "unread_pixels": {"run": ("W205", True, "slides")},
    "unused_block": {"file": ("W210", True, "block")},
    "unused_import": {"file": ("W214", True, "import")},
    "unused_input": {"graph": ("W223", True, "inputs")},
    "unused_let": {"file": ("W213", True, "let")},
    "unused_parameter": {"file": ("W211", True, "parameter")},
    "unused_value": {"file": ("W212", False, "as")},
    "use_without_effect": {"file": ("W224", True, "use")},
    "value_without_effect": {"graph": ("W222", True, "steps")},
}
