"""Results of earlier runs, in the folder `cache/` of the state: parsed posts, digests of outputs, and the build that made them."""
