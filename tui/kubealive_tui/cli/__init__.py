"""The commands of the terminal, one file each: `register` its options, `run` it in an `Environment`."""
