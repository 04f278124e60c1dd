"""When a training is saved, without keras."""

import dataclasses


@dataclasses.dataclass(frozen=True, kw_only=True)
class Saving:
    """When checkpoints are written, besides the end of each epoch.

    Attributes:
        minutes: After so many; 0 for never.
        steps: After so many; 0 for never.
        keep: How many are kept.
        skip_limit: Steps that may be skipped because their gradients are not finite.
    """

    minutes: float = 10.0
    steps: int = 0
    keep: int = 2
    skip_limit: int = 30
