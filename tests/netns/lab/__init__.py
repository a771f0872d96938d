"""A Tandem pair in network namespaces: what scripts/demo, scripts/lab and the scenarios share."""
