"""What the invisible mark stands, beside what a well-known library stands.

attacks: what is done to a file on its way. clips: on what it is tried. baseline: the
library. trial, falsely, speed, likeness: what is measured. table, drawing: how it is
said. `make bench-watermark` runs all of it.
"""
