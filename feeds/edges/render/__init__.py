"""Jinja2 templates and MJML."""
