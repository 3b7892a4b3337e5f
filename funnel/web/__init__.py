"""The web: Flask lives here and nowhere else."""
