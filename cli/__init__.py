"""The command line program ``gpu-clusters``."""
