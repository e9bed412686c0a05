"""What the settings of site generators say about a site; each generator has a module. Nothing is executed."""
