"""Erasure, export, retention, and addresses that cannot be read back."""
