"""Faults put into a whole platform under load, and an independent checker of what is left.

    python -m tests.faults [--rounds 200] [--seed N] [--only kill-web-worker,full-disk]

docs/faults.md tells what is injected, what is proven, and what is not.
"""
