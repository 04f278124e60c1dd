"""The mathematics of the template, in numpy only; usable without Keras."""
