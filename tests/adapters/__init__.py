"""The outside world: mailers, storage and signatures, against real and fake counterparts."""
