"""DNS, WebSub and checks of the public web site."""
