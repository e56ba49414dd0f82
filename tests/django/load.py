"""Makes the tables of the service in the database at DATABASE_URL, as Django makes them there, and fills
them with the rows that `dump.py` wrote.

    python load.py ROWS.json
"""

import json
import sys

import service  # noqa: F401, it configures Django
from django.apps import apps
from django.core.management import call_command
from django.db import connection, transaction
from django.utils.dateparse import parse_datetime
from django.utils.timezone import make_aware
import datetime


def value(field, stored):
    """What a row of SQLite has, as Python."""
    kind = field.get_internal_type()
    if stored is None:
        return None
    if kind == "BooleanField":
        return bool(stored)
    if kind == "DateTimeField":
        return make_aware(parse_datetime(stored), datetime.timezone.utc)
    return stored


def main(path):
    call_command("migrate", verbosity=0)
    with open(path) as file:
        tables = json.load(file)
    models = apps.get_models(include_auto_created=True)
    models = {model._meta.db_table: model for model in models if not model._meta.proxy}
    wanted = [table for table in tables if table in models]
    with transaction.atomic(), connection.constraint_checks_disabled():
        with connection.cursor() as cursor:
            for table in wanted:
                if connection.vendor == "postgresql":
                    cursor.execute(f'ALTER TABLE "{table}" DISABLE TRIGGER ALL')
                cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")
            for table in wanted:
                fields = {field.column: field for field in models[table]._meta.local_concrete_fields}
                for row in tables[table]:
                    names = [connection.ops.quote_name(name) for name in row]
                    places = ", ".join(["%s"] * len(row))
                    adapted = [
                        fields[name].get_db_prep_save(value(fields[name], stored), connection)
                        for name, stored in row.items()
                    ]
                    table_name = connection.ops.quote_name(table)
                    cursor.execute(f"INSERT INTO {table_name} ({', '.join(names)}) VALUES ({places})", adapted)


main(sys.argv[1])
