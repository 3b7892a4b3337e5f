"""The outside world: each adapter satisfies a port of the domain."""
