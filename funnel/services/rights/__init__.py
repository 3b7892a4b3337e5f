"""What people may ask of us about their own data, and what we let go by ourselves."""
