"""Two networks that train against each other: one draws clothes from noise, one tells them from photos (DCGAN, Radford 2015).

    python examples/adversarial.py [epochs] [image.pgm]

A recipe trains one network for one loss, so this loop is written by hand; the specs say what the networks are. Drawn
clothes are written as an image, eight by eight.
"""

import sys
from pathlib import Path

import torch
from torch.nn.functional import binary_cross_entropy_with_logits as loss_of

import cnnspec
from cnnspec.training.data.load import load_data

SPEC = Path(__file__).parent / "adversarial.cnn"
NOISE, BATCH = 32, 100


def write(images: torch.Tensor, path: str) -> None:
    """64 images from -1 to 1, [64, 1, 28, 28], as one."""
    page = images.view(8, 8, 28, 28).permute(0, 2, 1, 3).reshape(8 * 28, 8 * 28)
    pixels = ((page + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
    Path(path).write_bytes(b"P5 224 224 255\n" + bytes(pixels.flatten().tolist()))


epochs = int(sys.argv[1]) if len(sys.argv) > 1 else 20
path = sys.argv[2] if len(sys.argv) > 2 else "clothes.pgm"
torch.manual_seed(0)
generator = cnnspec.load(SPEC, "Generator", noise=NOISE).compile()
discriminator = cnnspec.load(SPEC, "Discriminator").compile()
photos = load_data("FashionMini").train.images.float() / 127.5 - 1
draws, tells = (torch.optim.Adam(net.parameters(), lr=0.001, betas=(0.5, 0.999)) for net in (generator, discriminator))
shown = torch.randn(64, NOISE)

for epoch in range(1, epochs + 1):
    told, drawn = 0.0, 0.0
    batches = torch.randperm(len(photos)).split(BATCH)
    for chosen in batches:
        real, fake = photos[chosen], generator(torch.randn(len(chosen), NOISE))

        tells.zero_grad()
        on_real, on_fake = discriminator(real), discriminator(fake.detach())
        # Real photos count 0.9, so that the one who tells is never too sure.
        telling = loss_of(on_real, torch.full_like(on_real, 0.9)) + loss_of(on_fake, torch.zeros_like(on_fake))
        telling.backward()
        tells.step()

        draws.zero_grad()
        answer = discriminator(fake)
        drawing = loss_of(answer, torch.ones_like(answer))
        drawing.backward()
        draws.step()
        told, drawn = told + telling.item(), drawn + drawing.item()
    print(f"epoch {epoch}: telling {told / len(batches):.3f}, drawing {drawn / len(batches):.3f}", flush=True)

generator.eval()
with torch.no_grad():
    write(generator(shown), path)
print(f"drawn in {path}")
