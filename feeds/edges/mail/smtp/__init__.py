"""Mail servers: opened by smtplib, then driven with one round trip a message (RFC 5321, RFC 2920)."""
