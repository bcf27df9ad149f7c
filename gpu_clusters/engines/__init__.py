"""Clustering engines: different ways to the same result, behind one function each."""
