"""Find out in 0.06 s that a publish run would change nothing. Imports next to nothing: that is the point."""
