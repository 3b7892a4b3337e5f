"""`python -m tests.content.renew` writes the files that are made from code anew."""

from funnel.content.sequence_schema import schema_file, schema_text
from tests.content.samples import TEMPLATES

if __name__ == "__main__":
    schema_file(TEMPLATES).write_text(schema_text(), "utf-8")
