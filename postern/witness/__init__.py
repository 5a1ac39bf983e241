"""A witness of a log on an organisation's own premises: checks that it only grows, and cosigns."""
