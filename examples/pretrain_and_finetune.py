"""The whole road in Python: pre-train a template, make a network, fine-tune it.

    KERAS_BACKEND=torch python examples/pretrain_and_finetune.py

On the bundled images. Two passes of pre-training show the way and are far too few to be of use;
`--epochs 40` takes about two minutes on two cores. `sweet quickstart` measures what it brings.
"""

import argparse

import keras

import sweet_keras as sk


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=10_000, help="images to pre-train on")
    parser.add_argument("--epochs", type=int, default=2, help="passes of pre-training")
    parser.add_argument("--size", default="L6H6", help="layers and heads of the template")
    parser.add_argument("--patch-size", type=int, default=7, help="4 for finer maps, slower")
    parser.add_argument("--template", default="garments.sweet", help="file to write")
    options = parser.parse_args()

    (images, labels), (test_images, test_labels) = sk.data.fashion_mnist()
    images, labels = images[: options.images], labels[: options.images]

    # 1. Pre-train once, without labels.
    encoder = sk.SweetTemplateViT(
        options.size, image_shape=(28, 28, 1), patch_size=options.patch_size, head_dim=8
    )
    mae = sk.MaskedAutoencoder(encoder)
    mae.compile(optimizer=keras.optimizers.AdamW(4e-3, weight_decay=0.05))
    mae.fit(images, batch_size=128, epochs=options.epochs, verbose=2)

    # 2. One safe file.
    mae.template().save(options.template)
    template = sk.SweetTemplate.load(options.template)

    # 3. A plain network of another size: cut out, or its scalers fitted to images first.
    vit = sk.materialize(template, "L3H3")
    vit = sk.materialize(template, "L3H3", adapt=images)

    # 4. From here on it is plain Keras.
    model = sk.ImageClassifier(vit, classes=10)
    model.compile(optimizer=keras.optimizers.AdamW(4e-3, weight_decay=0.05))
    model.fit(images[:1000], labels[:1000], batch_size=50, epochs=3, verbose=2)
    model.evaluate(test_images, test_labels, verbose=2)


if __name__ == "__main__":
    main()
