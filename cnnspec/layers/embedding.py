"""Layers that look up learnt vectors."""

from cnnspec.declare import Count, Integer, Real, Reject, spell
from cnnspec.diagnostics import refusals
from cnnspec.diagnostics.codes import OUT_OF_RANGE
from cnnspec.layers.base import Layer, Shape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.layers._tape import Tape, Value


class Embedding(Layer):
    """Turns whole numbers, from 0 to num_embeddings - 1, into learnt vectors, in a new last dimension."""

    role = "dense"

    integers = True

    num_embeddings: Count
    embedding_dim: Count
    padding_idx: Integer | None = None
    max_norm: Real | None = None
    norm_type: Real = 2.0
    scale_grad_by_freq: bool = False
    sparse: bool = False

    def validate(self) -> None:
        count, index = self.num_embeddings, self.padding_idx
        if index is not None and not -count <= index < count:
            wants = f"a whole number from {-count} to {count - 1}, or `none`"
            raise Reject("padding_idx", OUT_OF_RANGE, name="padding_idx", value=spell(index), wants=wants)

        if self.scale_grad_by_freq and self.sparse:
            # torch 2.13 finds out going back.
            raise Reject("scale_grad_by_freq", refusals.SPARSE_BY_FREQUENCY)

    def infer(self, x: Shape) -> Shape:
        return (*x, self.embedding_dim)

    def weight(self, x: Shape) -> Shape:
        return (self.num_embeddings, self.embedding_dim)

    def run(self, tape: "Tape", x: "Value", y: Shape) -> "Value":
        return tape.op([x], y, keeps=[x], weights=[tape.bytes_of(self.weight(x.shape))])

    def parameters(self, x: Shape) -> int:
        return self.num_embeddings * self.embedding_dim
