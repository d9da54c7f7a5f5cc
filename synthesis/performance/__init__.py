"""A performance that leaves the house as numbers: curves, visemes, an animated face."""
