"""What earlier runs found out: cached posts, the manifest of built files, the state of the last publish."""
