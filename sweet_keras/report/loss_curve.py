"""Figure: the losses of a training over its epochs."""

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from sweet_keras.report.drawing import new_figure
from sweet_keras.report.palette import ADAPT, SLICE


def loss_curve(log: list[dict[str, float]]) -> Figure:
    """Draws the training loss, and that on validation data where there is one.

    Args:
        log: Rows of `log.csv`.
    """
    figure = new_figure(8.0, 3.0)
    axes = figure.subplots()
    lines = (("loss", "training", SLICE.light, "o"), ("val_loss", "validation", ADAPT.light, "s"))
    drawn = 0
    for column, label, colour, marker in lines:
        points = [(row["epoch"], row[column]) for row in log if column in row]
        if points:
            epochs, losses = zip(*points, strict=True)
            few = len(points) <= 30
            axes.plot(
                epochs, losses, color=colour, label=label, marker=marker if few else None, ms=4
            )
            drawn += 1
    axes.set_xlabel("epoch")
    axes.set_ylabel("loss")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.margins(x=0.02)
    if drawn > 1:
        axes.legend()
    return figure
