"""What is well and what is not, one subject a file: want, have → findings. Pure."""
