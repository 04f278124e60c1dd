"""Masked autoencoders that a PyTorch user would pick instead, and a plain training loop for them.

The runner `FacebookStyle` is written from the paper (2111.06377) around timm's blocks, with the
arithmetic of facebookresearch/mae: class token, fixed positions, shuffled tokens put back in place
before the decoder, prediction of all patches, loss on the masked ones.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import nn

from .clock import now
from .sizes import Size

# timm, transformers and lightly import torchvision, whose operators are not in every build of
# torch for the CPU; nothing here calls them.
try:
    import torchvision  # noqa: F401
except (ImportError, RuntimeError):
    _LIBRARY = torch.library.Library("torchvision", "FRAGMENT")
    for _name in ("nms", "qnms"):
        _LIBRARY.define(f"{_name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

MASK_RATIO = 0.75


def positions(size: Size, dim: int) -> torch.Tensor:
    """A table of positions with a zero row for the class token: (1, 1 + N, dim)."""
    from sweet_keras.core.positions import sincos_positions

    side = size.side // size.patch
    table = sincos_positions((side, side), dim)
    return torch.from_numpy(np.concatenate([np.zeros((1, dim), "float32"), table])[None])


def cut(images: torch.Tensor, patch: int) -> torch.Tensor:
    """Images (B, C, h, w) -> (B, N, patch^2 * C)."""
    batch, channels, height, width = images.shape
    x = images.reshape(batch, channels, height // patch, patch, width // patch, patch)
    return x.permute(0, 2, 4, 3, 5, 1).reshape(batch, -1, patch * patch * channels)


class FacebookStyle(nn.Module):
    """The masked autoencoder of He et al. on timm's blocks."""

    def __init__(self, size: Size):
        super().__init__()
        from timm.layers import PatchEmbed
        from timm.models.vision_transformer import Block

        norm = partial(nn.LayerNorm, eps=1e-6)
        width, narrow = size.dim, size.decoder_heads * size.head_dim
        self.patch, self.keep = size.patch, round(size.patches * (1 - MASK_RATIO))
        self.embed = PatchEmbed(size.side, size.patch, size.channels, width)
        self.class_token = nn.Parameter(0.02 * torch.randn(1, 1, width))
        self.register_buffer("positions", positions(size, width))
        self.blocks = nn.ModuleList(
            Block(width, size.heads, 4.0, qkv_bias=True, norm_layer=norm) for _ in range(size.depth)
        )
        self.norm = norm(width)
        self.to_decoder = nn.Linear(width, narrow)
        self.mask_token = nn.Parameter(0.02 * torch.randn(1, 1, narrow))
        self.register_buffer("decoder_positions", positions(size, narrow))
        self.decoder = nn.ModuleList(
            Block(narrow, size.decoder_heads, 4.0, qkv_bias=True, norm_layer=norm)
            for _ in range(size.decoder_depth)
        )
        self.decoder_norm = norm(narrow)
        self.to_pixels = nn.Linear(narrow, size.patch**2 * size.channels)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        x = self.embed(images) + self.positions[:, 1:]
        batch, length, width = x.shape
        order = torch.rand(batch, length, device=x.device).argsort(dim=1)
        back = order.argsort(dim=1)
        kept = order[:, : self.keep, None].expand(-1, -1, width)
        first = (self.class_token + self.positions[:, :1]).expand(batch, -1, -1)
        x = torch.cat([first, x.gather(1, kept)], dim=1)
        for block in self.blocks:
            x = block(x)
        x = self.to_decoder(self.norm(x))
        masks = self.mask_token.expand(batch, length - self.keep, -1)
        whole = torch.cat([x[:, 1:], masks], dim=1)
        whole = whole.gather(1, back[:, :, None].expand(-1, -1, x.shape[2]))
        x = torch.cat([x[:, :1], whole], dim=1) + self.decoder_positions
        for block in self.decoder:
            x = block(x)
        prediction = self.to_pixels(self.decoder_norm(x))[:, 1:]
        target = cut(images, self.patch)
        mean, variance = target.mean(-1, keepdim=True), target.var(-1, keepdim=True)
        error = ((prediction - (target - mean) / (variance + 1e-6) ** 0.5) ** 2).mean(-1)
        mask = (back >= self.keep).to(error.dtype)
        return (error * mask).sum() / mask.sum()


class Transformers(nn.Module):
    """`ViTMAEForPreTraining` of Hugging Face transformers."""

    def __init__(self, size: Size):
        super().__init__()
        from transformers import ViTMAEConfig, ViTMAEForPreTraining

        narrow = size.decoder_heads * size.head_dim
        config = ViTMAEConfig(
            hidden_size=size.dim,
            num_hidden_layers=size.depth,
            num_attention_heads=size.heads,
            intermediate_size=4 * size.dim,
            image_size=size.side,
            patch_size=size.patch,
            num_channels=size.channels,
            decoder_hidden_size=narrow,
            decoder_num_hidden_layers=size.decoder_depth,
            decoder_num_attention_heads=size.decoder_heads,
            decoder_intermediate_size=4 * narrow,
            mask_ratio=MASK_RATIO,
            norm_pix_loss=True,
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
        )
        self.model = ViTMAEForPreTraining(config)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.model(images).loss


class Lightly(nn.Module):
    """The masked autoencoder that lightly's modules make of timm's ViT."""

    def __init__(self, size: Size):
        super().__init__()
        from lightly.models import utils
        from lightly.models.modules import MAEDecoderTIMM, MaskedVisionTransformerTIMM

        self.utils, self.patch = utils, size.patch
        self.encoder = MaskedVisionTransformerTIMM(timm_vit(size))
        self.decoder = MAEDecoderTIMM(
            num_patches=size.patches,
            patch_size=size.patch,
            in_chans=size.channels,
            embed_dim=size.dim,
            decoder_embed_dim=size.decoder_heads * size.head_dim,
            decoder_depth=size.decoder_depth,
            decoder_num_heads=size.decoder_heads,
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        utils, batch = self.utils, images.shape[0]
        length = self.encoder.sequence_length
        keep, masked = utils.random_token_mask(
            size=(batch, length), mask_ratio=MASK_RATIO, device=images.device
        )
        encoded = self.decoder.embed(self.encoder.encode(images=images, idx_keep=keep))
        tokens = utils.repeat_token(self.decoder.mask_token, (batch, length))
        tokens = utils.set_at_index(tokens, keep, encoded.to(tokens.dtype))
        decoded = utils.get_at_index(self.decoder.decode(tokens), masked)
        prediction = self.decoder.predict(decoded)
        target = utils.get_at_index(cut(images, self.patch), masked - 1)
        mean, variance = target.mean(-1, keepdim=True), target.var(-1, keepdim=True)
        return nn.functional.mse_loss(prediction, (target - mean) / (variance + 1e-6) ** 0.5)


PEERS = {
    "facebook_style": ("facebookresearch-style on timm blocks", FacebookStyle),
    "transformers": ("transformers ViTMAEForPreTraining", Transformers),
    "lightly": ("lightly MAE on timm", Lightly),
}


def timm_vit(size: Size, classes: int = 0, class_token: bool = True) -> nn.Module:
    """timm's vision transformer of a size."""
    from timm.models.vision_transformer import VisionTransformer

    return VisionTransformer(
        img_size=size.side,
        patch_size=size.patch,
        in_chans=size.channels,
        num_classes=classes,
        embed_dim=size.dim,
        depth=size.depth,
        num_heads=size.heads,
        class_token=class_token,
        global_pool="token" if class_token else "avg",
        norm_layer=partial(nn.LayerNorm, eps=1e-6),
    )


def place(device: str) -> torch.device:
    return torch.device("cuda" if device == "gpu" else "cpu")


def float_batches(batches: list[np.ndarray], device: str) -> list[torch.Tensor]:
    """uint8 batches as the peers take them: normalised, channels first, on the device already."""
    arrays = (torch.from_numpy(images).permute(0, 3, 1, 2) for images in batches)
    return [((x.float() - 127.5) / 127.5).contiguous().to(place(device)) for x in arrays]


def in_bfloat16(module: Callable, device: str) -> Callable:
    """The forward pass in mixed precision, as PyTorch's users ask for it."""

    def call(images: torch.Tensor) -> torch.Tensor:
        with torch.autocast(place(device).type, torch.bfloat16):
            return module(images)

    return call


def loop_seconds(
    module: nn.Module, loss_of: Callable, batches: list[tuple], steps: int, device: str
) -> Callable[[], float]:
    """Returns what trains `module` for some steps with AdamW, and gives the seconds of one.

    Args:
        module: In training mode, on the device.
        loss_of: Gives the loss of a batch.
        batches: Tuples of tensors, taken in turns.
        steps: Steps that are timed.
        device: `"cpu"` or `"gpu"`.
    """
    optimizer = torch.optim.AdamW(
        module.parameters(), lr=1e-4, betas=(0.9, 0.95), weight_decay=0.05
    )

    def step(index: int) -> None:
        loss = loss_of(*batches[index % len(batches)])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    def run() -> float:
        step(0)
        wait(device)
        began = now()
        for index in range(steps):
            step(index)
        wait(device)
        return (now() - began) / steps

    return run


def wait(device: str) -> None:
    if device == "gpu":
        torch.cuda.synchronize()
