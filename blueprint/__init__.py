"""The personal PDF guide: a library that knows nothing of the funnel around it."""
