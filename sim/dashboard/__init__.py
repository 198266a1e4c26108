"""The dashboard: levers moved by hand, baseline and policy side by side. Only `page`, what it is made of, and `serving` need Solara."""
