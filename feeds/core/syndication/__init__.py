"""Feeds: plan them, render their documents, redirect the ones that moved."""
