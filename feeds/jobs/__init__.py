"""One module for each use case: it reads, calls `feeds.core` to decide, and writes."""
