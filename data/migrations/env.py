"""Runs the revisions on the connection that ``data.engine.migrate`` hands over, in its transaction."""

from alembic import context

from data.migrations.triggers import install_triggers
from data.schema import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    transactional_ddl=True,  # SQLite's DDL is transactional too; alembic assumes that it is not
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
    if context.config.attributes.get("installs_triggers"):
        install_triggers(connection)  # anew each time: batch mode rebuilds tables without their triggers
