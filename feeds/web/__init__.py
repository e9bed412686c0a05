"""HTTP: the pages and feeds for readers (`feeds serve`), and the local preview.

A handler parses the request, calls one job and renders one template.
"""
