"""Random changes to texts, for tests that feed the product nonsense."""

from __future__ import annotations

import random

WORDS = (
    "use again weight assert matmul tuple "
    "model block input let repeat for in if else residual shortcut add multiply concat branch as from import train where "
    "true false none and or not range max in_channels _ Conv2d Linear ReLU Flatten BatchNorm2d MaxPool2d 0 1 2 -1 3.5 1e400 "
    '64 99999999999999999999 "a" " { } ( ) [ ] , ; -> = == != <= < > + - * ** / // % . : # \\ \n \t \r\n \x00 \u202e é 漢 $ @'
).split(" ")


def mutate(text: str, rng: random.Random, times: int) -> str:
    """The text with pieces deleted, doubled, swapped, or words put in."""
    for _ in range(times):
        at, to = sorted((rng.randint(0, len(text)), rng.randint(0, len(text))))
        to = min(to, at + rng.choice((1, 2, 5, 40)))
        match rng.randrange(6):
            case 0:
                text = text[:at] + text[to:]
            case 1:
                text = text[:to] + text[at:to] + text[to:]
            case 2:
                text = text[:at] + rng.choice(WORDS) + text[at:]
            case 3:
                text = text[:at] + rng.choice(WORDS) + text[to:]
            case 4:
                other = rng.randint(0, len(text))
                text = text[:at] + text[other : other + 30] + text[to:]
            case 5:
                text = text[:at] + " " + rng.choice(WORDS) + " " + text[at:]
    return text
