"""Bad inputs, as data: what strangers send that is no mistake of theirs."""
