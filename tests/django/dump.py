"""Writes an SQLite database as SQL text, and its rows as JSON for `load.py`.

    python dump.py DATABASE OUT.sql OUT.json
"""

import json
import sqlite3
import sys

connection = sqlite3.connect(sys.argv[1])
with open(sys.argv[2], "w") as file:
    file.write("-- made by tests/django/make.py; every secret here is a test's\n")
    for line in connection.iterdump():
        file.write(line + "\n")

connection.row_factory = sqlite3.Row
names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
rows = {}
for (table,) in names.fetchall():
    rows[table] = [dict(row) for row in connection.execute(f'SELECT * FROM "{table}"')]
with open(sys.argv[3], "w") as file:
    json.dump(rows, file)
