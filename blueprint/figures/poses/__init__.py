"""Poses as numbers: where every joint is. The floor is y = 0; a lying head points left."""
