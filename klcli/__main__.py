"""`python -m klcli`."""

from klcli.cli import run

if __name__ == "__main__":
    run()
