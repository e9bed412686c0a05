"""The memory: what was public, what was sent, and who reads."""
