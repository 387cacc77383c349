"""Whatever an administrator makes of the tables, drawn at random, and what ingest must make of it.

`statements` draws from the rules of `row_statements` and `table_statements`, `edge_deck` draws events, `script` runs both
by each way of ingest, `plain_inserts` does the same by hand, `known` says which way must be taken, and `contents` what is
in the tables afterwards. The test is faults/test_random_layouts.py.
"""
