"""A whole cohort: from a manifest of images and phrases to a folder of results, in blocks that no accident loses."""
