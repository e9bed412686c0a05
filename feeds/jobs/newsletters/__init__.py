"""Compose, approve, send, correct and retract newsletter issues."""
