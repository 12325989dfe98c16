"""Texts that are made to be slow to check: of each kind the most that a file can hold, and a text of about `n` parts."""

from __future__ import annotations

HEAD = "model M {\n    input [3, 32, 32]\n"
SIZED = "model M {\n    input [3, H, W]\n"
PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71)


def numbered(count: int, text: str, between: str = "") -> str:
    """A text so many times, with @ for the number."""
    return between.join(text.replace("@", str(i)) for i in range(count))


def nested_if(n: int) -> str:
    opened = "".join(f"if unknown{i} {{ ReLU\n" for i in range(n))
    return opened + "Tanh\n" + "} else { Tanh }\n" * n


# The largest n is what a file of 4 MB or 150,000 words and signs can hold.
KINDS = {
    "unknown settings": (
        30_000,
        lambda n: f"{HEAD}Flatten\nLinear(10)\n}}\ntrain {{\n{numbered(n, 's@ = 1' + chr(10))}}}",
    ),
    "settings again": (
        30_000,
        lambda n: f"{HEAD}Flatten\nLinear(10)\n}}\ntrain {{\n{numbered(n, 'epochs = @' + chr(10))}}}",
    ),
    "unknown arguments": (40_000, lambda n: f"{HEAD}Conv2d(16, 3, {numbered(n, 'a@=1', ', ')})\n}}"),
    "arguments of a block": (
        20_000,
        lambda n: f"block B({numbered(n, 'p@=1', ', ')}) {{ ReLU }}\n{HEAD}B({numbered(n, 'q@=1', ', ')})\n}}",
    ),
    "long string": (3_900_000, lambda n: f'{HEAD}Conv2d(16, 3, padding="{"x" * n}")\n}}'),
    "escapes": (1_900_000, lambda n: f'{HEAD}Conv2d(16, 3, padding="{chr(92) + "n"}{(chr(92) + "n") * n}")\n}}'),
    "blank lines": (3_900_000, lambda n: f"{HEAD}ReLU{chr(10) * n}}}"),
    "comments": (1_300_000, lambda n: f"{HEAD}ReLU\n{'#a' + chr(10)}{('#a' + chr(10)) * n}}}"),
    "misspelt blocks": (
        20_000,
        lambda n: f"{numbered(n, 'block Name@ { ReLU }' + chr(10))}{HEAD}{numbered(n, 'Nmae@' + chr(10))}}}",
    ),
    "misspelt layers": (30_000, lambda n: f"{HEAD}{numbered(n, 'Cov@d(3)' + chr(10))}}}"),
    "misspelt values": (20_000, lambda n: f"{HEAD}{numbered(n, 'let v@ = w@' + chr(10))}}}"),
    "long names": (1_900_000, lambda n: f"block {'A' * n} {{ ReLU }}\n{HEAD}{'A' * (n - 1)}\n}}"),
    "statements on a line": (30_000, lambda n: f"{HEAD}{'ReLU; ' * n}\n}}"),
    "the same model": (15_000, lambda n: "model M { input [3]; ReLU }\n" * n),
    "suppressions": (20_000, lambda n: HEAD + "ReLU # cnnspec: ignore[W202]\n" * n + "}"),
    "unknown suppressions": (20_000, lambda n: f"{HEAD}ReLU\n}}\n# cnnspec: ignore[{numbered(n, 'W@x', ',')}]"),
    "unknown names in an import": (
        30_000,
        lambda n: f'from "lib.cnn" import {numbered(n, "a@", ", ")}\n{HEAD}ReLU\n}}',
    ),
    "many imports": (
        31,
        lambda n: numbered(n, 'from "big@.cnn" import B@\n') + HEAD + numbered(n, "B@; ") + "ReLU\n}",
    ),
    "unclosed brackets": (60_000, lambda n: f"{HEAD}{'Linear(' + chr(10)}{('Linear(' + chr(10)) * n}}}"),
    "unknown characters": (60_000, lambda n: f"{HEAD}{('$ % &' + chr(10)) * n}}}"),
    "digits": (3_000_000, lambda n: f"{HEAD}let x = {'9' * n}\n}}"),
    "sizes of an input": (60000, lambda n: f"model M {{ input [{numbered(n, '2', ', ')}]\nConv2d(3, 3)\n}}"),
    "numbers of a window": (60000, lambda n: f"{HEAD}Conv2d(16, ({numbered(n, '3', ', ')}))\n}}"),
    "numbers of a list": (60000, lambda n: f"{HEAD}for i in [{numbered(n, '3', ', ')}] {{ Conv2d(i, 99) }}\n}}"),
    "values and misspelt layers": (
        20000,
        lambda n: f"{HEAD}{numbered(n, 'let v@ = ReLU' + chr(10))}{numbered(200, 'Cov@d(3); let u@ = 1' + chr(10))}}}",
    ),
    "values and misspelt values": (
        20000,
        lambda n: f"{HEAD}{numbered(n, 'let v@ = 1' + chr(10))}{numbered(200, 'let u@ = vv@' + chr(10))}}}",
    ),
    "branches of a tuple": (25000, lambda n: f"{HEAD}tuple {{ {numbered(n, 'branch { ReLU } ')} }}\n}}"),
    "branches of a concat": (25000, lambda n: f"{HEAD}concat {{ {numbered(n, 'branch { ReLU } ')} }}\n}}"),
    "branches of a tuple, then a loop": (
        12000,
        lambda n: (
            f"{HEAD}tuple {{ for i in range({n}) {{ branch {{ ReLU }} }} }} as x\n"
            "tuple { for s in x { branch { use s; ReLU } } } -> [3]\n}"
        ),
    ),
    "again": (60000, lambda n: f"{HEAD}ReLU as r\n{'again r; ' * n}\n}}"),
    "again in a loop": (100000, lambda n: f"{HEAD}ReLU as r\nrepeat {n} {{ again r }}\n}}"),
    "uses": (18000, lambda n: f"{HEAD}{numbered(n, 'ReLU as a@; use a@' + chr(10))}}}"),
    "named and unused": (30000, lambda n: f"{HEAD}{numbered(n, 'ReLU as a@' + chr(10))}}}"),
    "named and added": (
        15000,
        lambda n: f"{HEAD}{numbered(n, 'ReLU as a@' + chr(10))}{numbered(n, 'add(a@)' + chr(10))}}}",
    ),
    "an addition of many": (
        20000,
        lambda n: f"{HEAD}{numbered(n, 'ReLU as a@' + chr(10))}add({numbered(n, 'a@', ', ')})\n}}",
    ),
    "weights": (
        12000,
        lambda n: f"{HEAD}{numbered(n, 'weight [3, 1, 1] = normal(std=0.02) as w@; add(w@)' + chr(10))}}}",
    ),
    "unused weights": (15000, lambda n: f"{HEAD}{numbered(n, 'weight [3, 1, 1] = 0 as w@' + chr(10))}ReLU }}"),
    "comprehensions": (
        9000,
        lambda n: f"{HEAD}{numbered(n, 'let v@ = [i for i in range(1000) if i > 3]' + chr(10))}ReLU }}",
    ),
    "slices": (12000, lambda n: f"{HEAD}let x = range(99_999)\n{numbered(n, 'let v@ = x[1:]' + chr(10))}ReLU }}"),
    "functions": (
        60,
        lambda n: (
            "let f0(x) = x + x\n"
            + "".join(f"let f{i + 1}(x) = f{i}(x) + f{i}(x)\n" for i in range(n))
            + f"{HEAD}Linear(f{n}(1)) }}"
        ),
    ),
    "functions many": (
        15000,
        lambda n: numbered(n, "let f@(x) = x + 1\n") + f"{HEAD}{numbered(200, 'Linear(f@x(1))' + chr(10))} }}",
    ),
    "constants in a chain": (
        60,
        lambda n: (
            "let c0 = [1]\n"
            + "".join(f"let c{i + 1} = c{i} + c{i}\n" for i in range(n))
            + f"{HEAD}Linear(len(c{n})) }}"
        ),
    ),
    "constants many": (
        30000,
        lambda n: "let c0 = 1\n" + "".join(f"let c{i + 1} = c{i} + 1\n" for i in range(n)) + f"{HEAD}Linear(c{n}) }}",
    ),
    "variants": (20000, lambda n: "model B(n) { input [3]; Linear(n) }\n" + numbered(n, "model V@ = B(@)\n")),
    "variants of a large base": (
        20000,
        lambda n: "model B(n) { input [3]; repeat 1000 { Linear(n) } }\n" + numbered(n, "model V@ = B(@)\n"),
    ),
    "variants wrong": (20000, lambda n: "model B(n) { input [3]; Conv1d(n) }\n" + numbered(n, "model V@ = B(@)\n")),
    "variants misspelt": (20000, lambda n: "model B(n) { input [3]; Linear(n) }\n" + numbered(n, "model V@ = Bb(@)\n")),
    "variants in a chain": (
        20000,
        lambda n: "model V0(n) { input [3]; Linear(n) }\n" + "".join(f"model V{i + 1} = V{i}()\n" for i in range(n)),
    ),
    "large models": (9000, lambda n: numbered(n, "model M@ { input [3]; repeat 99_999 { ReLU } }\n")),
    "large models of distinct": (
        9000,
        lambda n: numbered(n, "model M@ { input [3]; for i in range(999) { Linear(i + 1) } }\n"),
    ),
    "models of blocks": (
        9000,
        lambda n: (
            "block B(n) { for i in range(999) { Linear(i + n) } }\n" + numbered(n, "model M@ { input [3]; B(@) }\n")
        ),
    ),
    "models wrong of blocks": (
        9000,
        lambda n: (
            "block B(n) { for i in range(999) { Linear(i + n) }; Conv2d(3,3) }\n"
            + numbered(n, "model M@ { input [3]; B(@) }\n")
        ),
    ),
    "assertions": (
        25000,
        lambda n: f"{HEAD}{'assert in_channels == 3' + chr(10)}{('assert in_channels == 3' + chr(10)) * n}ReLU }}",
    ),
    "assertions that fail": (
        25000,
        lambda n: f"{HEAD}{('assert in_channels == 4, ' + chr(34) + 'x' * 50 + chr(34) + chr(10)) * n}ReLU }}",
    ),
    "assertion that fails at length": (3900000, lambda n: f'{HEAD}assert in_channels == 4, "{"x" * n}"\nReLU }}'),
    "budgets": (12000, lambda n: f"{HEAD}{('Conv2d(3, 1); assert parameters < 10 ** 9' + chr(10)) * n}}}"),
    "budgets of memory": (9000, lambda n: f"{HEAD}{('Conv2d(3, 1); assert memory(1) < 10 ** 12' + chr(10)) * n}}}"),
    "budgets of fields": (
        9000,
        lambda n: f"{HEAD}{('Conv2d(3, 1); assert receptive_field < 10 ** 9' + chr(10)) * n}}}",
    ),
    "budgets in a loop": (60000, lambda n: f"{HEAD}repeat {n} {{ ReLU; assert macs < 10 ** 12 }} }}"),
    "inputs": (20000, lambda n: f"model M {{\n{numbered(n, 'input [3] as x@' + chr(10))}use x0 }}"),
    "inputs misspelt": (
        20000,
        lambda n: f"model M {{\n{numbered(n, 'input [3] as x@' + chr(10))}{numbered(200, 'use y@' + chr(10))} }}",
    ),
    "parts of parts": (
        20000,
        lambda n: f"{HEAD}concat {{ {numbered(n, 'branch { ReLU } as b@ ')} }} as c\nuse c.bb\n}}",
    ),
    "nested ifs of unknown": (60, lambda n: f"{HEAD}{nested_if(n)}}}"),
    "nested loops of unknown": (60, lambda n: f"{HEAD}{'for i in unknown { ReLU; ' * n}Tanh {'}' * n}\n}}"),
    "nested residuals": (60, lambda n: f"{HEAD}{'residual { ReLU; ' * n}Tanh {'}' * n}\n}}"),
    "nested adds": (60, lambda n: f"{HEAD}{'add { branch { ReLU } branch { ' * (n // 2)}Tanh {'} }' * (n // 2)}\n}}"),
    "blocks that are wrong in every use": (
        60,
        lambda n: (
            "block A0(k) { Conv2d(k, 99) }\n"
            + "".join(f"block A{i + 1}(k) {{ A{i}(k); A{i}(k + 1) }}\n" for i in range(n))
            + f"{HEAD}A{n}(1) }}"
        ),
    ),
    "blocks that are wrong": (
        60,
        lambda n: (
            "block A0 { Conv2d(3, 99) }\n"
            + "".join(f"block A{i + 1} {{ A{i}; A{i} }}\n" for i in range(n))
            + f"{HEAD}A{n} }}"
        ),
    ),
    "blocks that are unused and nested": (
        60,
        lambda n: (
            "block A0(k) { Conv2d(k, 3) }\n"
            + "".join(f"block A{i + 1}(k) {{ A{i}(k); A{i}(k + 1) }}\n" for i in range(n))
            + f"{HEAD}ReLU }}"
        ),
    ),
    "warnings": (15000, lambda n: f"{HEAD}{('Conv2d(3, 1); BatchNorm2d; ReLU; ReLU' + chr(10)) * n}}}"),
    "annotations that are wrong": (20000, lambda n: f"{HEAD}{('ReLU -> [4, 32, 32]' + chr(10)) * n}}}"),
    "labels in a loop": (50000, lambda n: f"{HEAD}repeat {n} {{ ReLU as x }} }}"),
    "labels twice": (40000, lambda n: f"{HEAD}{('ReLU as x' + chr(10)) * n}}}"),
    "losses": (
        20000,
        lambda n: f"{HEAD}Flatten; Linear(10)\n}}\ntrain {{\n{numbered(n, 'loss.x@ = CrossEntropyLoss' + chr(10))}}}",
    ),
    "augmentations": (
        40000,
        lambda n: f"{HEAD}Flatten; Linear(10)\n}}\ntrain {{\naugment = [{numbered(n, 'RandomCrop(28)', ', ')}]\n}}",
    ),
    "recipes": (15000, lambda n: numbered(n, "model M@ { input [3]; ReLU }\ntrain M@ { epochs = 3 }\n")),
    "sizes": (15000, lambda n: f"model M {{ input [{numbered(n, 'H@', ', ')}]\nReLU\n}}"),
    "conditions of sizes": (
        15000,
        lambda n: f"model M {{ input [3, H, W] where {numbered(n, 'H >= @', ', ')}\nReLU\n}}",
    ),
    "a string in a tuple": (1900000, lambda n: f'{HEAD}Conv2d(16, ("{"x" * n}", "{"y" * n}"))\n}}'),
    "strings": (
        3000,
        lambda n: f"{HEAD}{numbered(n, 'Conv2d(16, ' + chr(34) + 'x' * 1200 + chr(34) + ')' + chr(10))}}}",
    ),
    "a chain of operators": (90000, lambda n: f"{HEAD}Linear({'1 + ' * n}x)\n}}"),
    "a chain of conditions": (20000, lambda n: f"{HEAD}Linear({'1 if a else ' * n}x)\n}}"),
    "imports of nothing": (20000, lambda n: numbered(n, 'from "no@.cnn" import B@\n') + f"{HEAD}ReLU }}"),
    "imports of one": (20000, lambda n: numbered(n, 'from "lib.cnn" import b1 as c@\n') + f"{HEAD}c1 }}"),
    "partials": (
        20000,
        lambda n: f"let R = ReLU()\nblock U(a) {{ a }}\n{HEAD}{numbered(n, 'U(LeakyReLU(0.@))' + chr(10))}}}",
    ),
    "partials in partials": (
        60,
        lambda n: "block U0(a) { a }\n" + f"{HEAD}{'weight_norm(' * n}Conv2d(3,3){')' * n} }}",
    ),
    "lists of values": (20000, lambda n: f"{HEAD}ReLU as x\n{('use (x, x, x)[0]' + chr(10)) * n}}}"),
    "a tuple that grows": (
        5000,
        lambda n: (
            f"{HEAD}let t0 = ()\n"
            + "".join(f"ReLU as x{i}; let t{i + 1} = t{i} + (x{i},)\n" for i in range(n))
            + f"concat(t{n}) }}"
        ),
    ),
    "comments ignored": (60000, lambda n: f"{HEAD}{('# cnnspec: ignore[W202]' + chr(10)) * n}ReLU }}"),
    "pass of a loop wrong": (60000, lambda n: f"{HEAD}for i in range({n}) {{ Conv2d(3, i + 40) }} }}"),
    "uses of a block wrong": (
        20000,
        lambda n: f"block B(k) {{ Conv2d(3, k) }}\n{HEAD}{numbered(n, 'B(4@)' + chr(10))}}}",
    ),
    "docstrings": (60000, lambda n: "# a\n" * n + f"{HEAD}ReLU }}"),
    "spaces": (4000000, lambda n: f"{HEAD}ReLU{' ' * n}$ }}"),
    "carriage returns": (3900000, lambda n: f"{HEAD}ReLU{chr(13) * n} }}"),
    "tabs": (1900000, lambda n: f"{HEAD}{chr(9) * n}Cov2d(3)\n }}"),
    "wide letters": (1200000, lambda n: f"{HEAD}{'漢' * n}\n }}"),
    "combining": (1900000, lambda n: f"{HEAD}a{chr(0x301) * n} $\n }}"),
    "sized models": (9000, lambda n: numbered(n, "model M@ { input [3, H, W]; Conv2d(8, 3) }\n")),
    "sized models of blocks": (
        9000,
        lambda n: (
            "block B(n) { for i in range(999) { Conv2d(i + n, 1) } }\n"
            + numbered(n, "model M@ { input [3, H, W]; B(@) }\n")
        ),
    ),
    "sized large models": (9000, lambda n: numbered(n, "model M@ { input [3, H, W]; repeat 9_999 { ReLU } }\n")),
    "sized pools": (20000, lambda n: f"{SIZED}repeat {n} {{ Conv2d(8, 3) }}\n}}"),
    "sized same": (20000, lambda n: f"{SIZED}repeat {n} {{ Conv2d(8, 3, padding=1) }}\n}}"),
    "sized distinct": (20000, lambda n: f"{SIZED}for i in range({n}) {{ Conv2d(i + 1, 3, padding=1) }}\n}}"),
    "sized upsample": (
        60,
        lambda n: f"{SIZED}repeat {n} {{ Conv2d(8, 3, stride=3, padding=1); Upsample(scale_factor=2) }}\n}}",
    ),
    "sized residuals": (
        2000,
        lambda n: (
            f"{SIZED}Conv2d(8,1)\nrepeat {n} "
            "{ residual { Conv2d(8, 3, stride=2, padding=1); Upsample(scale_factor=2) } }\n}"
        ),
    ),
    "sized where": (15000, lambda n: f"model M {{ input [3, H, W] where {numbered(n, 'H >= @', ', ')}\nReLU\n}}"),
    "sized where primes": (
        20,
        lambda n: f"model M {{ input [3, H, W] where {', '.join(f'H % {p} != 0' for p in PRIMES[:n])}\nReLU\n}}",
    ),
    "sized where both": (
        20,
        lambda n: f"model M {{ input [3, H, W] where {', '.join(f'(H + W) % {p} != 0' for p in PRIMES[:n])}\nReLU\n}}",
    ),
    "sized where or": (
        2000,
        lambda n: (
            f"model M {{ input [3, H, W] where {' or '.join(f'(H == {i} and W == {i * 7 % n})' for i in range(n))}\nReLU\n}}"
        ),
    ),
    "sized lets": (10000, lambda n: f"{SIZED}{numbered(n, 'let a@ = in_height * in_width % 7' + chr(10))}ReLU }}"),
    "sized assert": (10000, lambda n: f"{SIZED}{numbered(n, 'assert in_height * 3 > @' + chr(10))}ReLU }}"),
    "sized prime strides": (
        20,
        lambda n: f"{SIZED}{chr(10).join(f'MaxPool2d({p}, ceil_mode=true)' for p in PRIMES[:n])}\n}}",
    ),
    "sized prime residuals": (
        20,
        lambda n: (
            f"{SIZED}Conv2d(8,1)\n"
            + chr(10).join(f"residual {{ MaxPool2d({p}); Upsample(scale_factor={p}) }}" for p in PRIMES[:n])
            + "\n}"
        ),
    ),
    "sized mods": (
        300,
        lambda n: f"{SIZED}{chr(10).join(f'let a{i} = in_height % {i + 2}' for i in range(n))}\nReLU }}",
    ),
    "sized wrong": (3000, lambda n: f"{SIZED}repeat {n} {{ Conv2d(8, 3); MaxPool2d(2) }}\n}}"),
    "sized wrong models": (3000, lambda n: numbered(n, "model M@ { input [3, H, W]; Conv2d(5 -> 8, 3) }\n")),
    "sized narrow models": (
        3000,
        lambda n: numbered(n, "model M@ { input [3, H, W]; residual { MaxPool2d(2); Upsample(scale_factor=2) } }\n"),
    ),
    "sized five": (
        20,
        lambda n: (
            "model M { input [3, H, W] as a\n"
            + chr(10).join(f"input [3, H{i}, W{i}] as a{i}" for i in range(n))
            + "\nadd(a, "
            + ", ".join(f"a{i}" for i in range(n))
            + ")\n}"
        ),
    ),
    "sized if": (
        12,
        lambda n: (
            f"{SIZED}{chr(10).join(f'let a{i} = 1 if in_height % {PRIMES[i]} == 0 else 2' for i in range(n))}\n"
            f"let s = {' + '.join(f'a{i}' for i in range(n))}\nAdaptiveAvgPool2d(s) }}"
        ),
    ),
    "sized sum": (
        100000,
        lambda n: f"{SIZED}let s = sum([in_height + i for i in range({n})])\nAdaptiveAvgPool2d(s) }}",
    ),
    "sized product": (60, lambda n: f"{SIZED}let s = {' * '.join(['in_height'] * n)}\nAdaptiveAvgPool2d(s) }}"),
    "models without values": (15000, lambda n: numbered(n, "model M@(k) { input [3]; Linear(k) }\n")),
    "models without values of blocks": (
        9000,
        lambda n: (
            "block B(n) { for i in range(999) { Linear(i + n) } }\n" + numbered(n, "model M@(k) { input [3]; B(k) }\n")
        ),
    ),
    "sized inputs": (9000, lambda n: f"model M {{\n{numbered(n, 'input [3, H@, W@] as x@' + chr(10))}use x0 }}"),
}
