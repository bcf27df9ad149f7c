"""Exports of real data sources in the columns that ``rank`` reads, with an account of what was left out."""
