"""Says at the end with which tools the backups were made."""

from support.backups import shell, workspace

ASKED = ("pg_dump --version", "pg_restore --version", "pg_basebackup --version", "pgbackrest version", "barman --version")


def pytest_terminal_summary(terminalreporter):
    directory = workspace()
    for asked in ASKED:
        said = shell(f"{asked} || true", directory)
        terminalreporter.write_line(f"{asked}: {said.splitlines()[0]}")
