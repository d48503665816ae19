"""From orientations to strides, the kinetic chain, asymmetry and leg length."""
