"""Files and folders: scanning, reading and writing them, and the key file."""
