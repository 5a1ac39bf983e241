"""The audit log on an organisation's own premises: records, verification, packages, receipts."""
