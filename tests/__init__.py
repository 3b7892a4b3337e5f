"""The proof that Funnel does what it says, one folder per layer."""
