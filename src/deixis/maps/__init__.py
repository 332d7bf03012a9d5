"""From attention and predicted noise to a heat map, a mask and boxes."""
