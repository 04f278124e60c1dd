"""Differences as text."""


def signed(value: float, decimals: int = 1) -> str:
    """Returns a number with its sign, minus as a true minus sign."""
    return f"{value:+.{decimals}f}".replace("-", "\u2212")
