"""Reports of runs: numbers with intervals and controls, tables, a page, and runs side by side."""
