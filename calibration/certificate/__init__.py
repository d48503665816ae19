"""What a technician files: figures, limits and verdict of a calibration, as a page or PDF."""

from .certificate import Certificate, certificate_html, certificate_of

__all__ = ["Certificate", "certificate_html", "certificate_of"]
