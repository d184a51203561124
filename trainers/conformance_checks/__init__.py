"""Checks of CONTRACT.md on any trainer; run by conformance.py."""
