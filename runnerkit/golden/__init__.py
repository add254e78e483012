"""The machine image: made of packages or of a cloud image, set up by the kit, booted in QEMU."""
