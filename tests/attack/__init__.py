"""Attacks on a real server process on loopback, each with a control that shows it can succeed.

`python -m tests.attack` runs them all and prints a table; `make attack` is the same. An attack is a
function with `@attack`; it returns how often it tried, what it won, and what the same attempt wins
where the guard is missing (its control). A control that wins nothing makes the attack void.
"""
