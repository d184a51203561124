"""The Python trainer runtime of Perennial: see CONTRACT.md beside this folder."""
