"""Windowed attention: tokens attend to those of their own window only.

As in ViTDet (Li et al., Exploring Plain Vision Transformer Backbones for Object Detection,
2203.16527): most blocks of a network attend within windows, a few to the whole image. The cost of
attention then grows with the number of tokens, not with its square.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras import ops

Tensor = Any


class Windows:
    """The windows of a grid of tokens, and the way there and back.

    A grid that is no multiple of the window is padded below and on the right, as in ViTDet. There
    the padding takes part in attention, so that what a token at the border sees depends on how much
    padding is beside it. Here `mask` keeps it out: a window at the border is a smaller window. A
    grid that divides has no padding and no mask.

    Args:
        grid: (h, w), tokens of the image.
        window: Side of a window, in tokens; a shorter side of the grid cuts it off.

    Raises:
        ValueError: If `window` is not a positive integer.
    """

    def __init__(self, grid: Sequence[int], window: int):
        check_windows(window)
        self.grid = tuple(grid)
        self.sides = tuple(min(window, length) for length in self.grid)
        # Windows along each axis, and the tokens missing from the last one.
        self.counts = tuple(
            -(-length // side) for length, side in zip(self.grid, self.sides, strict=True)
        )
        self.padding = tuple(
            count * side - length
            for count, side, length in zip(self.counts, self.sides, self.grid, strict=True)
        )

    @property
    def size(self) -> int:
        """Tokens of a window, those of the padding included."""
        return self.sides[0] * self.sides[1]

    @property
    def cover_grid(self) -> bool:
        """Whether a single window holds all tokens."""
        return self.counts == (1, 1)

    def partition(self, x: Tensor) -> Tensor:
        """Tokens (B, h * w, C) -> (B * windows, size, C), row-major, zero where padded."""
        channels = x.shape[-1]
        x = ops.reshape(x, (-1, *self.grid, channels))
        if any(self.padding):
            rows, columns = self.padding
            x = ops.pad(x, ((0, 0), (0, rows), (0, columns), (0, 0)))
        (down, across), (height, width) = self.counts, self.sides
        x = ops.reshape(x, (-1, down, height, across, width, channels))
        return ops.reshape(ops.transpose(x, (0, 1, 3, 2, 4, 5)), (-1, self.size, channels))

    def merge(self, x: Tensor) -> Tensor:
        """The inverse of `partition`: (B * windows, size, C) -> (B, h * w, C), padding removed."""
        channels = x.shape[-1]
        (down, across), (height, width) = self.counts, self.sides
        x = ops.reshape(x, (-1, down, across, height, width, channels))
        x = ops.transpose(x, (0, 1, 3, 2, 4, 5))
        x = ops.reshape(x, (-1, down * height, across * width, channels))
        x = x[:, : self.grid[0], : self.grid[1]]
        return ops.reshape(x, (-1, self.grid[0] * self.grid[1], channels))

    def mask(self, x: Tensor) -> Tensor | None:
        """Which keys may be attended to, for `keras.ops.dot_product_attention`.

        Args:
            x: Tokens (B, h * w, C); only B is read from it.

        Returns:
            Booleans (B * windows, 1, 1, size), `False` where padded; `None` without padding. No
            window is all padding, so that no row of the attention is empty.
        """
        if not any(self.padding):
            return None
        # Partitioned like the tokens: B need not be known.
        real = self.partition(ops.ones_like(x[:, :, :1]))
        return ops.reshape(real, (-1, 1, 1, self.size)) > 0


def layer_windows(depth: int, window: int | None, global_blocks: int) -> list[int | None]:
    """The window of each layer, `None` where it attends to everything.

    The layers are split into `global_blocks` subsets as equal as can be; the last of each is a
    global one, and so is the last of all.

    Args:
        depth: Layers, L.
        window: Side of the windows in tokens, or `None` for no windows at all.
        global_blocks: Layers that attend to everything; all if there are no more layers.

    Returns:
        A list of L entries.

    Raises:
        ValueError: If the window is not positive or the number of blocks negative.
    """
    check_windows(window, global_blocks)
    everywhere = {depth * (subset + 1) // global_blocks - 1 for subset in range(global_blocks)}
    if depth < global_blocks:
        everywhere = set(range(depth))
    return [None if layer in everywhere else window for layer in range(depth)]


def check_windows(window: int | None, global_blocks: int = 0, extra_tokens: int = 0) -> None:
    """Raises ValueError unless a network can have these windows."""
    if window is not None and (type(window) is not int or window < 1):
        raise ValueError(
            "`window` must be a positive integer, the side of a window in tokens, or None. "
            f"Received: {window!r}"
        )
    if type(global_blocks) is not int or global_blocks < 0:
        raise ValueError(
            f"`global_blocks` must be an integer, 0 or more. Received: {global_blocks!r}"
        )
    if window is not None and extra_tokens:
        raise ValueError(
            "`window` must be None with a class token or registers, which lie in no window. "
            f"Received: window={window} and {extra_tokens} such tokens"
        )


def check_whole_grid(window: int | None, order: Any) -> None:
    """Raises ValueError if a network with windows is to see only some of the patches."""
    if window is not None and order is not None:
        raise ValueError(
            "`order` must be None in a network with windows: picked patches have no grid to cut "
            f"windows from. Received: window={window}, order of shape {tuple(order.shape)}"
        )
