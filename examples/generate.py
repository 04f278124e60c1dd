"""Generators of any size from one template that learned to generate.

    KERAS_BACKEND=torch python examples/generate.py

On the bundled images. Two passes show the way and are far too few to be of use; `--epochs 40` makes
garments that can be told. The same on the command line: `sweet pretrain --task generate`, then
`sweet finetune GENERATOR.keras --task generate --size L3H3`, then `sweet sample`.
"""

import argparse

import numpy as np
from PIL import Image

import sweet_keras as sk


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=2_000, help="images to learn from")
    parser.add_argument("--epochs", type=int, default=2, help="passes over them, of each training")
    parser.add_argument("--size", default="L4H4", help="layers and heads of the template")
    parser.add_argument("--patch-size", type=int, default=7, help="4 for finer images, slower")
    parser.add_argument("--steps", type=int, default=20, help="of the sampler")
    parser.add_argument("--grid", default="garments.png", help="picture to write")
    options = parser.parse_args()

    (images, labels), _ = sk.data.fashion_mnist()
    images, labels = images[: options.images], labels[: options.images]

    # 1. A template learns to generate, its smaller networks as well.
    vit = sk.SweetTemplateViT(
        options.size,
        image_shape=(28, 28, 1),
        patch_size=options.patch_size,
        head_dim=8,
        pixel_mean=72.9,  # of the pixels, so that images and noise are of one scale
        pixel_std=90.0,
    )
    large = sk.ImageGenerator(vit, classes=10)
    large.compile(optimizer=sk.KernelMuon())
    late = sk.LateSubnetworks(vit)
    large.fit(images, labels, batch_size=128, epochs=options.epochs, callbacks=[late], verbose=2)

    # 2. A plain generator of another size: cut out, or its scalers fitted to images first.
    small = sk.materialize_generator(large, "L2H3")
    small = sk.materialize_generator(large, "L2H3", adapt=(images, labels), epochs=0.5)

    # 3. From here on it is plain Keras; the average of the weights is kept.
    small.compile(optimizer=sk.KernelMuon(use_ema=True, ema_momentum=0.9))
    small.fit(images, labels, batch_size=128, epochs=options.epochs, verbose=2)

    # 4. A row of images for each class.
    made = small.generate(np.repeat(np.arange(10), 8), steps=options.steps, guidance=2.0, seed=0)
    rows = made.reshape(10, 8, 28, 28).swapaxes(1, 2).reshape(280, 224)
    Image.fromarray(rows).save(options.grid)
    print(len(made), "images in", options.grid)


if __name__ == "__main__":
    main()
