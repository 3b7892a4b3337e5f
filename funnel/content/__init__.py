"""Words to values: loading, checking and rendering the shipped and edited texts."""
