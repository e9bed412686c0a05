"""Addresses and who they belong to."""
