"""One outside thing each; foreign errors become ours here."""
