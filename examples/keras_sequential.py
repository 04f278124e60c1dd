"""`SweetTemplateViT` as a layer among others, trained with `model.fit`.

    KERAS_BACKEND=jax python examples/keras_sequential.py --jit

It still carries its template: the kernels stay a Tucker product, and one network answers at every
width. `--jit` compiles the step (on torch that takes a minute), `--template FILE` starts from a
template, its core frozen, instead of from scratch.
"""

import argparse

import keras

import sweet_keras as sk


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=2_000, help="images to train on")
    parser.add_argument("--epochs", type=int, default=3, help="passes over them")
    parser.add_argument("--template", help="template file to start from")
    parser.add_argument("--jit", action="store_true", help="compile the training step")
    options = parser.parse_args()

    if options.template:
        vit = sk.SweetTemplateViT(sk.SweetTemplate.load(options.template), size="L3H3")
    else:
        vit = sk.SweetTemplateViT("L3H3", image_shape=(28, 28, 1), patch_size=7, head_dim=8)
    model = keras.Sequential(
        [
            keras.Input(vit.image_shape),
            vit,
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dense(10),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.AdamW(4e-3),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=options.jit,
    )
    (images, labels), test = sk.data.fashion_mnist()
    images, labels = images[: options.images], labels[: options.images]
    model.fit(images, labels, batch_size=100, epochs=options.epochs, verbose=2)
    model.evaluate(*test, verbose=2)
    narrow = vit(test[0][:8], heads=1)[..., : vit.head_dim]  # the rest is zero
    print("tokens of the first head alone:", tuple(narrow.shape))


if __name__ == "__main__":
    main()
