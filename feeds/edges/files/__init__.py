"""Files and folders: scanning, reading, writing, the keys."""
