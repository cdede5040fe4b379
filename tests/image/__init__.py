"""The image, built from the Dockerfile and run as the charts say, without a cluster: `make test-image`."""
