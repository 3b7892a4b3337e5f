"""Exercise figures drawn by code: jointed bodies in, plain SVG out, for print and for the web."""

from blueprint.figures.catalogue import Figure, draw, names

__all__ = ["Figure", "draw", "names"]
