"""Alembic's entry: migrate the database named in the configuration."""

from alembic import context

from funnel.db.engine import make_engine
from funnel.db.tables import Base

engine = make_engine(context.config.attributes["url"])
with engine.connect() as connection:
    is_sqlite = connection.dialect.name == "sqlite"
    if is_sqlite:
        # A table that is rebuilt is dropped on the way, and its rows must not take others along.
        # The driver's own connection: the pragma does nothing inside a transaction.
        connection.connection.execute("PRAGMA foreign_keys=OFF")
    else:
        # A table of a grown practice takes longer to change than a page may take to answer.
        connection.exec_driver_sql("SET statement_timeout = 0")
        connection.commit()
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=is_sqlite,
        compare_type=False,
    )
    with context.begin_transaction():
        context.run_migrations()
        if is_sqlite:
            orphans = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
            if orphans:
                raise RuntimeError(f"a migration left rows without their parents: {orphans[:3]}")
    connection.commit()
engine.dispose()
