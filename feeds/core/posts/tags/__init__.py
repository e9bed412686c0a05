"""The template tags of site generators in posts: rendered, reduced to what readers can use, or left out."""
