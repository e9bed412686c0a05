"""The page that a site generator has made of a post -> the HTML of the post alone."""
