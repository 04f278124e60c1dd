import keras
import numpy as np
import pytest

import sweet_keras as sk


def autoencoder(rate=1.0):
    keras.utils.set_random_seed(0)
    encoder = sk.SweetTemplateViT(
        "L2H2",
        image_shape=(8, 8, 1),
        patch_size=4,
        head_dim=4,
        subnetworks=("L1H1",),
        subnetwork_rate=rate,
        seed=0,
    )
    mae = sk.MaskedAutoencoder(encoder, decoder="L1H1", mask_ratio=0.5, seed=0)
    mae.build()
    return mae


def fit(mae, images, callbacks, **options):
    mae.compile(optimizer=keras.optimizers.SGD(1e-2))
    mae.fit(images, batch_size=4, verbose=0, callbacks=callbacks, shuffle=False, **options)


def test_sub_networks_join_after_their_share_of_the_epochs(rng):
    images = rng.uniform(0, 255, (8, 8, 8, 1)).astype("float32")
    mae = autoencoder()
    drawn = []
    branch = mae.encoder._branch

    def watch(*arguments):
        drawn.append(mae.encoder.draws_subnetworks)
        return branch(*arguments)

    mae.encoder._branch = watch
    counts = []
    count = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: counts.append(len(drawn)))
    fit(mae, images, [sk.LateSubnetworks(mae.encoder, start=0.5), count], epochs=4)
    assert counts[:2] == [0, 0] and counts[3] > 0
    assert all(drawn)
    assert mae.encoder.draws_subnetworks  # whoever trains on has them


def test_until_then_it_is_the_training_of_a_whole_network(rng):
    images = rng.uniform(0, 255, (8, 8, 8, 1)).astype("float32")
    late, alone = autoencoder(), autoencoder(rate=0.0)
    late.set_weights(alone.get_weights())
    fit(late, images, [sk.LateSubnetworks(late.encoder, start=0.9)], epochs=2)
    fit(alone, images, [], epochs=2)
    for mine, theirs in zip(late.get_weights(), alone.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-6)


def test_a_resumed_training_has_them_from_the_same_epoch(rng):
    images = rng.uniform(0, 255, (8, 8, 8, 1)).astype("float32")
    mae = autoencoder()
    seen = []
    watch = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: seen.append((epoch, mae.encoder.draws_subnetworks))
    )
    callbacks = [sk.LateSubnetworks(mae.encoder, start=0.5), watch]
    fit(mae, images, callbacks, epochs=4, initial_epoch=1)
    assert seen == [(1, False), (2, True), (3, True)]


def test_a_training_that_stopped_early_goes_on_with_them(rng):
    """Without the callback, and although the step was compiled without them."""
    images = rng.uniform(0, 255, (8, 8, 8, 1)).astype("float32")
    mae = autoencoder()

    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = True

    fit(mae, images, [sk.LateSubnetworks(mae.encoder, start=0.5), Stop()], epochs=4)
    drawn = []
    branch = mae.encoder._branch
    mae.encoder._branch = lambda *arguments: drawn.append(True) or branch(*arguments)
    mae.fit(images, batch_size=4, verbose=0)
    assert drawn


def test_a_start_that_is_no_share_is_refused():
    encoder = sk.SweetTemplateViT("L2H2", image_shape=(8, 8, 1), patch_size=4, head_dim=4)
    with pytest.raises(
        ValueError, match=r"`start` must be at least 0 and below 1\. Received: 1\.0"
    ):
        sk.LateSubnetworks(encoder, start=1.0)
