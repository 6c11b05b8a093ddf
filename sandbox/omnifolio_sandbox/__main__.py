"""`python -m omnifolio_sandbox`: serve the simulated venues, print credentials and the truth, write venue exports."""

from omnifolio_sandbox.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
