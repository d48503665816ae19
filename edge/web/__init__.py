"""The page that a clinician opens while attaching sensors and afterwards: it looks, and no more."""
