"""The local preview in a browser: each request calls one job and returns its result."""
