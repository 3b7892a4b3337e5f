"""The chaos proof: the whole product under faults, and a checker that knows what may not be."""
