"""DNS, WebSub, checks of the public web site, and documents that the user names."""
