"""How large a template is beside the network it stands for, without keras."""

from sweet_keras.core.template import SweetTemplate


def dense_parameters(template: SweetTemplate) -> int:
    """Counts the numbers of the plain network of a template's own size."""
    factors = sum(array.size for array in template.factors)
    kernels = template.blocks_per_layer * template.size.depth * template.size.embed_dim**2
    return template.parameters - factors + kernels
