"""Training a compiled spec: data, augmentation, the loop, what a run tells and keeps."""
