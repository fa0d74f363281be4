"""Osler: what a medical student does while studying, turned into seven analytics and one decision."""

__version__ = "0.1.0"
