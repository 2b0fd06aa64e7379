"""What the paper shows: signature images, embeddings, verification."""
