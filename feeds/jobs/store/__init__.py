"""Back up and restore the store, its journal and ids."""
