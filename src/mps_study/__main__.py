"""`mps-study ...` and `python -m mps_study ...`: Kedro's command line for this project."""

from kedro.framework.cli.cli import main

if __name__ == "__main__":
    main()
