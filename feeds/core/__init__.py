"""The decisions of Feeds as functions of values, without I/O, clock or randomness."""
