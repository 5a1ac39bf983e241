"""The verification of the audit log on premises."""
