"""Locks, signals, worker processes, the scheduler and shell commands."""
