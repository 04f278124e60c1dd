"""A generator of the latents of a variational autoencoder of KerasHub.

    KERAS_BACKEND=jax python examples/generate_in_latents.py

The autoencoder here is tiny and hardly trained, so the images are blots. With a real one,

    vae = keras_hub.models.StableDiffusion3Backbone.from_preset("stable_diffusion_3_medium").vae

leave out its training, and say `pixel_mean=vae.shift, pixel_std=1 / vae.scale`: the mean and the
deviation of its latents, which it knows. Images must be multiples of 8 pixels then, latents have
16 channels and an eighth of the sides, and patches of 2 are usual.
"""

import argparse

import keras
import numpy as np
from keras_hub.src.models.vae.vae_backbone import VAEBackbone  # public only as a part of others
from PIL import Image

import sweet_keras as sk


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=256, help="images to learn from")
    parser.add_argument("--epochs", type=int, default=2, help="passes over them, of each training")
    parser.add_argument("--steps", type=int, default=10, help="of the sampler")
    parser.add_argument("--grid", default="latents.png", help="picture to write")
    options = parser.parse_args()

    (images, labels), _ = sk.data.fashion_mnist()
    images, labels = images[: options.images], labels[: options.images]

    # 1. The autoencoder: pixels in -1..1 from and to 4 channels of a quarter of the sides.
    vae = VAEBackbone(
        encoder_num_filters=[32, 32, 32],
        encoder_num_blocks=[1, 1, 1],
        decoder_num_filters=[32, 32, 32],
        decoder_num_blocks=[1, 1, 1],
        sample_channels=8,  # mean and logarithm of the variance
        input_channels=1,
        output_channels=1,
    )
    scaled = images / 127.5 - 1
    vae.compile(optimizer="adam", loss="mse")
    vae.fit(scaled, scaled, batch_size=32, epochs=options.epochs, verbose=2)

    # 2. Two models around it, from pixels in 0..255 to latents and back.
    pixels = keras.Input(images.shape[1:])
    moments = vae.encoder(keras.layers.Rescaling(1 / 127.5, offset=-1)(pixels))
    encoder = keras.Model(pixels, keras.ops.split(moments, 2, axis=-1)[0])  # the mean
    latents = keras.Input(encoder.output.shape[1:])
    decoder = keras.Model(
        latents, keras.layers.Rescaling(127.5, offset=127.5)(vae.decoder(latents))
    )

    # 3. A generator of latents; the network normalises them. `vit` may come from a template.
    some = encoder.predict(images, verbose=0)
    vit = sk.ViTBackbone(
        "L2H4",
        image_shape=some.shape[1:],
        patch_size=1,
        head_dim=8,
        pixel_mean=float(some.mean()),
        pixel_std=float(some.std()),
    )
    generator = sk.ImageGenerator(vit, classes=10, encoder=encoder, decoder=decoder)
    generator.compile(optimizer=sk.KernelMuon())
    generator.fit(images, labels, batch_size=32, epochs=options.epochs, verbose=2)

    # 4. Saved with its autoencoder. Whoever loads it imports keras_hub as well.
    generator.save("generator.keras")
    generator = keras.saving.load_model("generator.keras")
    made = generator.generate(np.arange(10), steps=options.steps, guidance=2.0, seed=0)
    Image.fromarray(np.hstack(list(made[..., 0]))).save(options.grid)
    print("latents", some.shape[1:], "images", made.shape, "in", options.grid)


if __name__ == "__main__":
    main()
