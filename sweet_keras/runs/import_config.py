"""Options of `sweet import` and `sweet export`."""

from typing import Literal

from sweet_keras.runs.config import Config, option
from sweet_keras.runs.geometry import parse_image_size, parse_ranks

Format = Literal[
    "timm",
    "huggingface",
    "keras_hub",
    "keras_cv",
    "keras",
    "onnx",
    "saved_model",
    "litert",
    "torch_export",
]


class ImportConfig(Config):
    """Options of `sweet import`."""

    source: str = option(
        help="A file (.safetensors, .npz, .keras, .weights.h5, or of torch: .pt, .pth, .bin, "
        ".ckpt), or a folder with model.safetensors and config.json.",
        group="Files",
        positional=True,
        metavar="CHECKPOINT",
    )
    out: str = option(
        help="What to write: a plain network (.keras), or the template it is decomposed into "
        "(.sweet).",
        group="Files",
        positional=True,
        metavar="OUT.keras|OUT.sweet",
    )
    image_size: str | None = option(
        None,
        "Height x width the network takes, in pixels; positions are interpolated. By default the "
        "original's.",
        group="Network",
        metavar="HxW",
    )
    native_size: str | None = option(
        None,
        "Height x width that the positions are of; by default what a config.json says, else a "
        "square.",
        group="Network",
        metavar="HxW",
    )
    heads: int | None = option(
        None,
        "Attention heads; by default what a config.json says, else those of the published models "
        "of that width.",
        group="Network",
    )
    pixel_mean: tuple[float, ...] = option(
        (),
        "Subtracted from pixels in 0..255, one number, or one for each channel by repeating it; by "
        "default what is usual for the checkpoint.",
        group="Network",
    )
    pixel_std: tuple[float, ...] = option(
        (), "Divides the pixels after that, in the same way.", group="Network"
    )
    ranks: str | None = option(
        None,
        "Of a template: full, auto (by --energy or --max-parameters), a share of the dense "
        "kernels such as 0.5, or r1,r2,r3. By default auto if one of these is given, else full.",
        group="Template",
        metavar="RANKS",
    )
    energy: float | None = option(
        None,
        "Share of the kernels' sum of squares that a template keeps at least, with --ranks auto; "
        "by default 0.95.",
        group="Template",
    )
    max_parameters: int | None = option(
        None, "Numbers that a template may have, with --ranks auto.", group="Template"
    )
    order: Literal["none", "energy"] = option(
        "none",
        "How channels, heads and hidden units are ordered before, so that narrower networks keep "
        "what matters: none, or energy.",
        group="Template",
    )
    overwrite: bool = option(False, "Replace a file that is there already.", group="Files")

    def check(self) -> None:
        """Checks every range."""
        suffix = self.out.endswith((".keras", ".sweet"))
        self.require("out", suffix, "a file ending in .keras or .sweet")
        for size in filter(None, (self.image_size, self.native_size)):
            parse_image_size(size)
        for name in ("ranks", "energy", "max_parameters"):
            plain = getattr(self, name) is not None and self.out.endswith(".keras")
            self.require(name, not plain, "left out where a plain network is written")
        template = self.order == "none" or self.out.endswith(".sweet")
        self.require("order", template, "none where a plain network is written")
        if self.ranks not in (None, "full"):
            parse_ranks(self.ranks)


class ExportConfig(Config):
    """Options of `sweet export`."""

    model: str = option(
        help="A network or a classifier.",
        group="Files",
        positional=True,
        metavar="MODEL.keras",
    )
    out: str = option(
        help="The file or folder to write.", group="Files", positional=True, metavar="OUT"
    )
    format: Format = option(
        help="What to write: a folder for timm or huggingface; a .keras file with the network of "
        "keras_hub, keras_cv or, keras, of this package; or a graph that runs without Keras: onnx "
        "(.onnx), saved_model (a folder), litert (.tflite), torch_export (.pt2).",
        group="Files",
        metavar="FORMAT",
    )
    overwrite: bool = option(
        False, "Replace a file or folder that is there already.", group="Files"
    )
