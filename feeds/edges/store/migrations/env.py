"""Alembic's entry point: it uses the store's connection, so that a migration is one transaction with its caller."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
