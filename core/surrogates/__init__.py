"""The network that is attacked in the classifier's stead: LeNet-5 and its training."""
