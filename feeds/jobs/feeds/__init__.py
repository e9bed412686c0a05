"""Write feeds, their pages, redirects and WebSub pings."""
