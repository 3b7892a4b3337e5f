"""The rules of the funnel: plain Python over values; no I/O; time comes in as an argument."""
