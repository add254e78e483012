"""The air-gap bundle as a file: what it holds, how it is written and read. Touches no host."""
