"""Sub-networks that join late in a pre-training."""

from __future__ import annotations

import keras

from sweet_keras.layers.sweet_template_vit import SweetTemplateViT


class LateSubnetworks(keras.callbacks.Callback):
    """Trains the whole network alone at first, and its sub-networks from some epoch on.

    What is trained at once pulls on the same weights. A network that has first been trained alone
    loses less by it, at equal steps, than one that had to serve all sizes from the start.

    Args:
        encoder: The network whose sub-networks are trained.
        start: Share of the epochs before they join, in [0, 1), rounded to whole epochs. A compiled
            training step is compiled anew when they do.

    Raises:
        ValueError: If `start` is not in [0, 1).

    Example:
    ```python
    mae = sk.MaskedAutoencoder(encoder := sk.SweetTemplateViT("L12H12"))
    mae.compile(optimizer=sk.KernelMuon())
    mae.fit(images, epochs=100, callbacks=[sk.LateSubnetworks(encoder, start=0.6)])
    ```
    """

    def __init__(self, encoder: SweetTemplateViT, start: float = 0.6):
        super().__init__()
        if not 0.0 <= start < 1.0:
            raise ValueError(f"`start` must be at least 0 and below 1. Received: {start!r}")
        self.encoder, self.start = encoder, start

    def on_epoch_begin(self, epoch, logs=None):
        self._draw(epoch >= round(self.start * self.params["epochs"]))

    def on_train_end(self, logs=None):
        self._draw(True)  # whoever trains on has them, also after a training that stopped early

    def _draw(self, draws: bool) -> None:
        if draws != self.encoder.draws_subnetworks:
            self.encoder.draws_subnetworks = draws
            self.model.make_train_function(force=True)
