"""A walking person with known truth, and the nodes that person wears."""
