"""Laws, anchors and goldens; speed is in `benchmarks`, which a plain pytest leaves out."""
