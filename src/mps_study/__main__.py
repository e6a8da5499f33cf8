"""`python -m mps_study ...`: the same as `mps-study ...`."""

from mps_study.app.command_line import cli

if __name__ == "__main__":
    cli(prog_name="mps-study")
