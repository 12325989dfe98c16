"""Names that a torch module can't have: those of its own attributes and methods, as of torch 2.13."""

from __future__ import annotations

from keyword import iskeyword

_RESERVED = """
add_module append apply bfloat16 buffers call_super_init children compile cpu cuda dim double dump_patches eval extend
extra_repr float forward get_buffer get_extra_state get_parameter get_submodule given half inputs insert ipu
load_state_dict merge modules mtia named_buffers named_children named_modules named_parameters operands parameters pop
register_backward_hook register_buffer register_forward_hook register_forward_pre_hook register_full_backward_hook
register_full_backward_pre_hook register_load_state_dict_post_hook register_load_state_dict_pre_hook register_module
register_parameter register_state_dict_post_hook register_state_dict_pre_hook requires_grad_ result set_extra_state
set_submodule share_memory shared state_dict steps T_destination takes taps to to_empty train training type xpu
zero_grad
"""
RESERVED = frozenset(_RESERVED.split())


def free_name(name: str) -> str:
    """A name like one that can't be had."""
    bare = name.strip("_") or "part"
    return f"{bare}_" if problem_of(bare) else bare


def problem_of(name: str) -> str:
    """Why a module can't be called so; "" where it can."""
    if name in RESERVED:
        return "a torch module has an attribute of that name"
    if name == "self" or iskeyword(name):
        return "Python has that word for itself, and a traced module is Python source"
    return "names with a leading underscore are torch's own" if name.startswith("_") else ""
