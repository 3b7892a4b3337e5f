"""What the desk shows of the funnel. Test-marked people are left out of every figure."""
