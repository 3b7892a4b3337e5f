"""What the tests stand on: builders, fakes, servers and readers of what the product makes."""
