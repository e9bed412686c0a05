"""Outgoing mail by transport, and the mailbox that bounces come back to."""
