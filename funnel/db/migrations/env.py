"""Alembic's entry: migrate the database named in the configuration."""

from alembic import context

from funnel.db.engine import make_engine
from funnel.db.tables import Base

engine = make_engine(context.config.attributes["url"])
with engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=False,
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
engine.dispose()
