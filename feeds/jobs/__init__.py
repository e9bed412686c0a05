"""The verbs: each one reads, decides, writes."""
