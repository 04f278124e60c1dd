"""The look of the page, for light and dark surroundings and for print."""

from sweet_keras.report.palette import COLOURS


def stylesheet() -> str:
    """Returns the CSS of a report."""
    light = "".join(f"--{colour.name}:{colour.light};" for colour in COLOURS)
    dark = "".join(f"--{colour.name}:{colour.dark};" for colour in COLOURS)
    return (
        f":root{{color-scheme:light dark;{light}}}"
        f"@media(prefers-color-scheme:dark){{:root{{{dark}}}}}"
        f"@media print{{:root{{{light}}}}}" + _RULES
    )


_RULES = """
*{box-sizing:border-box}
body{margin:0 auto;padding:2.5rem 1.25rem 4rem;max-width:58rem;background:var(--paper);
color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
header{border-bottom:1px solid var(--grid);padding-bottom:1.25rem;margin-bottom:2rem}
.kicker{color:var(--muted);font-size:.875rem;margin:0 0 .5rem}
h1{font-size:1.75rem;line-height:1.25;margin:0 0 1rem;letter-spacing:-.01em;text-wrap:balance}
h2{font-size:1.2rem;margin:2.75rem 0 .5rem}
p{margin:.4rem 0;max-width:46rem}
.note{color:var(--muted);font-size:.925rem}
.warning{border-left:4px solid var(--adapt);padding:.35rem .9rem;background:
color-mix(in srgb,var(--adapt) 10%,transparent)}
figure{margin:1rem 0 0;overflow-x:auto}
figure svg{display:block;width:100%;min-width:34rem;height:auto}
figure svg image{image-rendering:pixelated}
figcaption{color:var(--muted);font-size:.9rem;margin-top:.5rem;max-width:46rem}
.scroll{overflow-x:auto}
table{border-collapse:collapse;margin:.75rem 0;font-size:.925rem;font-variant-numeric:tabular-nums}
th,td{padding:.34rem .9rem .34rem 0;text-align:left;vertical-align:top;
border-bottom:1px solid var(--grid)}
th{font-weight:600;color:var(--muted);white-space:nowrap}
td.number,th.number{text-align:right}
tr.group td{border-top:2px solid var(--grid)}
td.best{font-weight:700}
h3{font-size:1rem;margin:1.75rem 0 .25rem}
td.better{color:var(--third);font-weight:600}
td.worse{color:var(--adapt);font-weight:600}
code,pre{font:.875rem/1.5 ui-monospace,"SF Mono",Menlo,Consolas,monospace}
pre{background:color-mix(in srgb,var(--grid) 45%,transparent);padding:.75rem 1rem;
border-radius:6px;overflow-x:auto;white-space:pre-wrap;overflow-wrap:anywhere}
details{margin:.75rem 0}
summary{cursor:pointer;color:var(--muted)}
td.value{overflow-wrap:anywhere}
.swatch{display:inline-block;width:.7em;height:.7em;border-radius:2px;margin-right:.5em}
"""
