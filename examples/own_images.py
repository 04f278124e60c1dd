"""A template from a folder of your own images, in mixed precision.

    KERAS_BACKEND=jax python examples/own_images.py FOLDER --size L12H12 --image-size 224

FOLDER holds image files, or one folder of them for each class. Images are cropped and mirrored at
random while they are read. The same as `sweet pretrain --data FOLDER`, in Python.
"""

import argparse

import keras

import sweet_keras as sk


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", help="folder of images")
    parser.add_argument("--size", default="L12H12", help="layers and heads of the template")
    parser.add_argument("--image-size", type=int, default=224, help="side of an image in pixels")
    parser.add_argument("--patch-size", type=int, default=16, help="side of a patch in pixels")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--policy", default="mixed_bfloat16", help="data type policy of Keras")
    parser.add_argument("--template", default="template.sweet", help="file to write")
    options = parser.parse_args()

    keras.config.set_dtype_policy(options.policy)
    shape = (options.image_size, options.image_size, 3)
    source = sk.data.ImageFolder(options.folder, on_error="skip")
    batches = sk.data.pipeline(source, options.batch_size, image_shape=shape, augment="mae")
    steps = sk.data.steps_per_epoch(source, options.batch_size)

    encoder = sk.SweetTemplateViT(options.size, image_shape=shape, patch_size=options.patch_size)
    mae = sk.MaskedAutoencoder(encoder)
    schedule = keras.optimizers.schedules.CosineDecay(1e-3, steps * options.epochs)
    mae.compile(optimizer=keras.optimizers.AdamW(schedule, weight_decay=0.05, beta_2=0.95))
    mae.fit(batches, steps_per_epoch=steps, epochs=options.epochs, shuffle=False, verbose=2)
    mae.template({"data": options.folder, "epochs": options.epochs}).save(options.template)


if __name__ == "__main__":
    main()
