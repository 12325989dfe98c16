"""Random networks that are right by construction, as text, and edits that break them at a known line."""

from __future__ import annotations

import random
from dataclasses import dataclass, field


@dataclass
class Generator:
    """Writes one model. `channels` and `size` are those of the square image at hand."""

    rng: random.Random
    channels: int = 3
    size: int = 16
    lines: list[str] = field(default_factory=list)
    blocks: list[str] = field(default_factory=list)
    names: list[tuple[str, int, int]] = field(default_factory=list)
    edits: list[tuple[int, str]] = field(default_factory=list)
    """Line numbers in `lines` and what to put there to break the network."""
    depth: int = 1
    values: bool = False
    """Whether values have names, modules run again and so on."""
    several: bool = False
    """Whether there are tuples, several inputs, outputs and models, and parts of models as arguments."""

    def write(self, text: str, broken: str | None = None) -> None:
        if broken is not None:
            self.edits.append((len(self.lines), "    " * self.depth + broken))
        self.lines.append("    " * self.depth + text)

    def conv(self, out: int | None = None, *, stride: int = 1) -> None:
        rng = self.rng
        out = out or rng.choice((2, 4, 6, 8))
        kernel = rng.choice((1, 3, 5)) if self.size >= 5 else 1
        padding = kernel // 2
        options = [f"padding={padding}" if stride != 1 or rng.random() < 0.5 else 'padding="same"']
        if stride != 1:
            options.append(f"stride={stride}")
        if rng.random() < 0.3:
            options.append("bias=false")
        if self.channels % 2 == 0 and out % 2 == 0 and rng.random() < 0.3:
            options.append("groups=2")
        rest = ", ".join([str(kernel), *options])
        wrong = rng.choice(
            [
                f"Conv2d({self.channels + 1} -> {out}, {rest})",
                f"Conv2d({out}, 99)",
                f"Conv2d({out})",
                f"Conv2d({out}, {rest}, kernal_size=3)",
                f"Conv2d({out}, 1, groups={self.channels * out + 1})",
            ]
        )
        stated = f"{self.channels} -> " if rng.random() < 0.3 else ""
        size = (self.size + 2 * padding - kernel) // stride + 1
        arrow = f"  -> [{out}, {size}, _]" if rng.random() < 0.2 else ""
        self.write(f"Conv2d({stated}{out}, {rest}){arrow}", wrong)
        self.channels, self.size = out, size

    def same(self) -> None:
        """A layer that keeps the shape."""
        c = self.channels
        text, wrong = self.rng.choice(
            [
                ("ReLU", "RelUU(3)"),
                (f"BatchNorm2d({c})", f"BatchNorm2d({c + 1})"),
                ("BatchNorm2d", "BatchNorm2d(0)"),
                ("Dropout(0.1)", "Dropout(1.5)"),
                (f"GroupNorm({c})", f"GroupNorm({c + 1})"),
                ("MaxPool2d(3, stride=1, padding=1)", "MaxPool2d(3, stride=1, padding=2)"),
                ("LeakyReLU(0.2)", "LeakyReLU(slope=0.2)"),
                ("LayerScale", "LayerScale(none)"),
            ]
        )
        if "MaxPool" in text and self.size < 3:
            return
        self.write(text, wrong)

    def down(self) -> None:
        if self.size < 6:
            return
        if self.rng.random() < 0.5:
            self.conv(stride=2)
            return
        self.write("AvgPool2d(2)", "AvgPool2d(200)")
        self.size //= 2

    def nested(self, head: str, fill) -> None:
        self.write(head + " {")
        self.depth += 1
        names = list(self.names)
        fill()
        self.names = names
        self.depth -= 1

    def residual(self) -> None:
        channels = self.channels
        out = self.rng.choice((channels, channels, 4))
        self.nested("residual", lambda: (self.conv(), self.same(), self.conv(out)))
        if out != channels:
            self.write("} shortcut {")
            self.depth += 1
            self.channels = channels
            self.conv(out)
            self.depth -= 1
        self.write("}")

    def merge(self) -> None:
        kind = self.rng.choice(("add", "concat", "multiply"))
        start, widths = self.channels, []
        self.write(f"{kind} {{")
        self.depth += 1
        for _ in range(self.rng.randint(2, 3)):
            self.channels = start
            if kind == "multiply" and widths:
                self.nested(
                    "branch", lambda: (self.write("AdaptiveAvgPool2d(1)"), self.write(f"Conv2d({widths[0]}, 1)"))
                )
                self.channels = widths[0]
            else:
                fixed = 4 if kind == "add" else None
                self.nested("branch", lambda fixed=fixed: (self.conv(fixed), self.same()))
            self.write("}")
            widths.append(self.channels)
        self.depth -= 1
        self.write("}")
        self.channels = sum(widths) if kind == "concat" else widths[0]

    def name(self) -> None:
        name = f"v{len(self.lines)}"
        self.write(f"Identity as {name}")
        self.names.append((name, self.channels, self.size))

    def recall(self) -> None:
        for name, channels, size in self.names:
            if size == self.size:
                if channels == self.channels and self.rng.random() < 0.5:
                    self.write(f"add({name})", f"add({name}x)")
                else:
                    self.write(f"concat({name})", f"concat({name}, dim=9)")
                    self.channels += channels
                return

    def block(self) -> None:
        outer = self.lines, self.edits, self.depth, self.names
        name = f"Block{len(self.blocks)}"
        channels = self.channels
        self.lines, self.edits, self.depth, self.names = [], [], 1, []
        self.conv(channels)
        self.same()
        self.residual() if self.rng.random() < 0.3 else self.conv(channels)
        if self.channels != channels:
            self.conv(channels)
        self.blocks.append("\n".join([f"block {name}(channels) {{", *self.lines, "}", ""]))
        self.lines, self.edits, self.depth, self.names = outer
        label = f" as block{len(self.lines)}" if self.rng.random() < 0.3 and self.depth == 1 else ""
        self.write(f"{name}({channels}){label}", f"{name}({channels}, 3)")

    def loop(self) -> None:
        keep = self.channels
        if self.rng.random() < 0.5:
            self.nested(f"repeat {self.rng.randint(1, 3)}", lambda: (self.conv(keep), self.same()))
        else:
            widths = [self.rng.choice((2, 4)) for _ in range(self.rng.randint(1, 3))]
            self.nested(f"for (i, width) in {[(i, w) for i, w in enumerate(widths)]}", self._for_body)
            self.channels = widths[-1]
        self.write("}")

    def _for_body(self) -> None:
        self.write("let wide = width * 2")
        self.write("Conv2d(wide, 1)", "Conv2d(widde, 1)")
        self.write("if i % 2 == 0 {")
        self.write("    Tanh", "    Tanh(3)")
        self.write("} else {")
        self.write("    Sigmoid")
        self.write("}")
        self.write("Conv2d(width, 1)", "Conv2d(width / 2, 1)")

    # --- values with names ---

    def streams(self) -> None:
        n = len(self.lines)
        self.write("tuple {")
        self.write("    branch { Conv2d(4, 1) }", "    branch { Conv2d(4, 999) }")
        self.write("    branch { Conv2d(2, 1); ReLU }")
        self.write(f"}} as (a{n}, b{n})", f"}} as (a{n}, b{n}, c{n})")
        self.write(f"use a{n}", f"use a{n}[0]")
        self.write(f"concat(b{n})", f"add(b{n})")
        self.channels = 6

    def again(self) -> None:
        n, c = len(self.lines), self.channels
        self.write(f"residual {{ Conv2d({c}, 1); Tanh }} as shared{n}")
        self.write(f"again shared{n}", f"again shared{n}s")
        if self.rng.random() < 0.5:
            self.write(f"concat {{ branch {{ again shared{n} }} branch {{ use shared{n} }} }}")
            self.channels *= 2

    def learned(self) -> None:
        n, shape = len(self.lines), [self.channels, self.size, self.size]
        start = self.rng.choice(("normal(std=0.1)", "0", "uniform(-1, 1)"))
        self.write(f"weight {shape} = {start} as learned{n}", f"weight {[*shape[:2], 0]} = {start} as learned{n}")
        self.write(f"add(learned{n}, 0.5)", f"add(learned{n}, dim=1)")

    def argument(self) -> None:
        n, c = len(self.lines), self.channels
        self.blocks.append(
            f"block Gate{n}(skip, more = none) {{\n    input as g\n    Conv2d({c}, 1)\n    Sigmoid\n    multiply(skip)\n"
            f"    if more != none {{ add(more) }}\n    add(g)\n}}\n"
        )
        self.write(f"Identity as kept{n}")
        self.write(f"Conv2d({c}, 1)")
        more = self.rng.choice(("", f", more=kept{n}"))
        self.write(f"Gate{n}(kept{n}{more})", f"Gate{n}()")

    def path(self) -> None:
        n, c = len(self.lines), self.channels
        self.blocks.append(
            f"block Body{n} {{\n    Conv2d({c}, 1) as stem\n    residual {{ Tanh as deep; Conv2d({c}, 1) }} as unit\n}}\n"
        )
        self.write(f"Body{n} as body{n}")
        self.write(f"add(body{n}.stem, body{n}.unit.body.deep)", f"add(body{n}.stam)")

    def labelled_loop(self) -> None:
        n, c = len(self.lines), self.channels
        self.write("repeat 2 {")
        self.write(f"    input as x; Conv2d({c}, 1); add(x)", f"    input as x; Conv2d({c}, 1); add(y)")
        self.write(f"}} as run{n}")
        self.write("ReLU")
        self.write(f"add(run{n})", f"add(run{n}n)")

    def functions(self) -> None:
        n = len(self.lines)
        self.write(f"let half{n}(c) = max(1, c // 2)")
        self.write(f"let widths{n} = [half{n}(w) for w in [4, 8, 12] if w != 8]")
        self.write(f"for w in widths{n}[1:] {{ Conv2d(w, 1) }}", f"for w in widths{n}[1] {{ Conv2d(w, 1) }}")
        self.channels = 6

    def parts(self) -> None:
        n, c = len(self.lines), self.channels
        if c % 2:
            return
        cut = self.rng.choice((f"Chunk(2) as (p{n}, q{n})", f"Split([{c // 2}, {c - c // 2}]) as (p{n}, q{n})"))
        self.write(cut, f"Chunk({c + 1}) as (p{n}, q{n})")
        self.write(f"use q{n}")
        self.write(f"Conv2d({c // 2}, 1)")
        self.write(f"concat(p{n})", f"concat(p{n}[0])")

    def looped_branches(self) -> None:
        self.write("concat {")
        self.write("    for i in range(3) {")
        self.write(
            "        if i != 1 { branch { Conv2d(2 + i, 1) } }", "        if i != 1 { branch { Conv2d(2 + j, 1) } }"
        )
        self.write("    }")
        self.write("    let last = 2")
        self.write("    branch { Conv2d(last, 1); Tanh }", "    branch { Conv2d(last, 1); Tanhh }")
        self.write("}")
        self.channels = 8

    def bound_layer(self) -> None:
        n = len(self.lines)
        self.write(
            f"let Bound{n} = Conv2d(kernel_size=1, bias=false)", f"let Bound{n} = Conv2d(kernel_size=1, bais=false)"
        )
        self.write(f"Bound{n}(4)", f"Bound{n}(4, kernel_size=1)")
        self.channels = 4

    def product(self) -> None:
        self.write("matmul { branch { } branch { Softmax(3) } }", "matmul { branch { } branch { } branch { } }")

    def inner_model(self) -> None:
        n, c, size = len(self.lines), self.channels, self.size
        self.blocks.append(f"model Inner{n}(width = 3) {{\n    input [{c}, {size}, {size}]\n    Conv2d(width, 1)\n}}\n")
        self.blocks.append(f"model Wide{n} = Inner{n}(5)\n")
        self.write(f"Wide{n}", f"Wide{n}(width=4)")
        self.channels = 5

    def labelled_choice(self) -> None:
        n, c = len(self.lines), self.channels
        self.write(f"let deep{n} = in_height > 3")
        self.write(f"if deep{n} {{ Conv2d({c}, 1); Tanh }} else {{ Sigmoid }} as chosen{n}")
        self.write(f"multiply(chosen{n}, 2)", f"multiply(choose{n}, 2)")

    def handed_weight(self) -> None:
        n = len(self.lines)
        self.blocks.append(f"block Plus{n}(value) {{\n    add(value)\n    ReLU\n}}\n")
        self.write(f"weight [{self.channels}, {self.size}, {self.size}] = 0.5 as handed{n}")
        self.write(f"Plus{n}(handed{n})", f"Plus{n}(handed)")
        self.write(f"Plus{n}(value=handed{n})")

    def nested_tuple(self) -> None:
        n = len(self.lines)
        self.write("tuple {")
        self.write("    branch { tuple { branch { Conv2d(3, 1) } branch { Tanh } } }")
        self.write("    branch { Sigmoid } as plain")
        self.write(f"}} as nested{n}")
        self.write(f"use (nested{n}[0] + (nested{n}[1],))[1:]", f"use (nested{n}[0] + (nested{n}[5],))[1:]")
        self.write(f"Join{n}", f"Join{n}(3)")
        self.blocks.append(f"block Join{n} {{\n    input as (x, y)\n    use x\n    add(y)\n}}\n")

    def model(self) -> tuple[str, list[tuple[int, str]]]:
        """The text, and edits as (line from 1, new text of the line)."""
        steps = [self.conv, self.same, self.same, self.down, self.residual, self.merge, self.name, self.recall]
        steps += [self.block, self.loop]
        if self.values:
            steps += [
                self.streams,
                self.again,
                self.learned,
                self.argument,
                self.path,
                self.labelled_loop,
                self.functions,
            ]
        if self.several:
            steps += [
                self.parts,
                self.looped_branches,
                self.bound_layer,
                self.product,
                self.inner_model,
                self.labelled_choice,
                self.handed_weight,
                self.nested_tuple,
            ]
        several = self.several and self.rng.random() < 0.3
        for _ in range(self.rng.randint(4, 12)):
            self.rng.choice(steps)()
        features = self.channels * self.size * self.size
        self.write("Flatten", "Flatten(7)")
        self.write(f"Linear({features} -> 10)", f"Linear({features + 1} -> 10)")
        if several:
            self.write("concat(facts)  -> [15]", "concat(facts)  -> [16]")
            self.write("tuple {")
            self.write("    branch { Linear(2) } as scores", "    branch { Linear(3 -> 2) } as scores")
            self.write("    branch { Tanh } as rest")
            self.write("}  -> ([2], [15])", "}  -> ([2], [15], [1])")
        head = "".join(f"{block}\n" for block in self.blocks)
        head += f"model Net {{\n    input [3, 16, 16]{' as image' if several or self.rng.random() < 0.2 else ''}\n"
        if several:
            head += "    input [5] as facts\n    use image\n"
        before = head.count("\n")
        text = head + "\n".join(self.lines) + "\n}\n"
        return text, [(line + before + 1, broken) for line, broken in self.edits]
