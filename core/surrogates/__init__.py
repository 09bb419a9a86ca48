"""The networks that are attacked in the classifier's stead, and their training.

An architecture is a light file of its own, named in `registry`; `network`, `training` and `cached` load torch.
"""
