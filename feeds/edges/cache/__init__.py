"""Results of earlier runs, in `.feeds/cache/`: parsed posts, digests of outputs, and the build that made them."""
