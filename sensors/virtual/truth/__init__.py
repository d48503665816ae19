"""What the walk really was: records, and how they are taken from footfalls and motions."""
