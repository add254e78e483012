"""How hosts are, why one does not work, and what watches them."""
