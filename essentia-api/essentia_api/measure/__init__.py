"""What is heard in the samples. Nothing here knows of files, processes or HTTP."""
