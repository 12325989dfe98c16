"""Names of torch that are no part of the language, with what there is instead."""

_INSTEAD: dict[str, str] = {
    "LSTMCell": "`LSTM` runs over a whole sequence",
}


def instead_of(name: str) -> str:
    """What to write instead of something that is out of scope; "" where the name is none of those."""
    return _INSTEAD.get(name, "")
