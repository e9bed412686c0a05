"""Read, compare and list posts; suggest and fix tags."""
